"""The settings of a client: keyword arguments first, then the environment, then defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

import attrs

from memoram_async.core import defaults
from memoram_async.core.arguments import MASKED, check_retries, check_seconds, is_visible_ascii
from memoram_async.core.errors import ConfigurationError
from memoram_async.core.masks import is_masked
from memoram_async.core.sealing import sealing_secrets
from memoram_async.core.secret import Secret, hidden
from memoram_async.core.urls import check_base_url, check_link

DEFAULT_BASE_URL: Final = "https://api.memoram.app/api/v1"
DEFAULT_AUTH_URL: Final = "https://auth.memoram.io"

_INSECURE_VARIABLE: Final = "MEMORAM_ALLOW_INSECURE_HTTP"
_SWITCH: Final = {
    **dict.fromkeys(("1", "true", "yes", "on"), True),
    **dict.fromkeys(("", "0", "false", "no", "off"), False),
}


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Options:
    """What one client of a family may set differently from another.

    Attributes:
        timeout: Seconds that a whole call may take, retries and waiting included; None for no limit.
        request_timeout: Seconds that connecting, each read and each write of one request may take.
        max_retries: How often a request that failed without harm is sent again.
    """

    timeout: float | None = defaults.TIMEOUT
    request_timeout: float = defaults.REQUEST_TIMEOUT
    max_retries: int = defaults.MAX_RETRIES

    def __attrs_post_init__(self) -> None:
        check_seconds(self.timeout, name="timeout", optional=True)
        check_seconds(self.request_timeout, name="request_timeout")
        check_retries(self.max_retries)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Config:
    """What all clients of a family share.

    Attributes:
        api_key: The developer API key.
        base_url: The API's address, version included, without a trailing slash.
        auth_url: The authorization server's address, without a trailing slash.
        authorization_endpoint: Where users are sent to link an account.
        token_endpoint: Where codes and refresh tokens are exchanged.
        client_id: The application's OAuth client id, if it was given.
        client_secret: The application's OAuth client secret, if it was given.
        secrets: What the application seals and opens with, the sealing one first.
        dashboard_url: Where users decide, if it was given.
    """

    api_key: Secret
    base_url: str
    auth_url: str
    authorization_endpoint: str
    token_endpoint: str
    client_id: str | None = None
    client_secret: Secret | None = None
    secrets: tuple[Secret, ...] = ()
    dashboard_url: str | None = None


def _api_key(key: Secret | None) -> Secret:
    text = None if key is None else cast("object", key.reveal())  # whatever it was that was passed
    if isinstance(text, str) and is_masked(text):
        fault = f"the API key {MASKED}"
    elif key is not None and isinstance(text, str) and is_visible_ascii(text):
        return key
    elif text is None or text == "":
        fault = (
            "no API key: pass api_key=... or set MEMORAM_API_KEY (a developer creates one in the portal; "
            "'python -m memoram_local serve' gives one for this machine)"
        )
    elif isinstance(text, str):
        fault = (
            "the API key holds white space, a control character or a non-ASCII character: copy it again, "
            "without quotes or a trailing newline"
        )
    else:
        fault = f"the API key must be a string, not {type(text).__name__}"
    del text
    raise ConfigurationError(fault)


def resolve(
    *,
    api_key: str | Secret | None,
    base_url: str | Secret | None,
    auth_url: str | Secret | None,
    allow_insecure_http: bool | None,
    environment: Mapping[str, str],
    authorization_endpoint: str | Secret | None = None,
    token_endpoint: str | Secret | None = None,
    client_id: str | Secret | None = None,
    client_secret: str | Secret | None = None,
    secret: object = None,
    dashboard_url: str | Secret | None = None,
) -> Config:
    """The settings that hold, from arguments and environment.

    Args:
        api_key: The developer API key.
        base_url: The API's address.
        auth_url: The authorization server's address.
        allow_insecure_http: Permit `http://` to hosts other than loopback; None leaves it to the environment.
        environment: Where arguments that are None are looked up.
        authorization_endpoint: Where users are sent to link an account.
        token_endpoint: Where codes and refresh tokens are exchanged.
        client_id: The application's OAuth client id.
        client_secret: The application's OAuth client secret.
        secret: What the application seals with.
        dashboard_url: Where users decide.

    Raises:
        ConfigurationError: A setting is missing or cannot be used; the message names it.
    """
    # Wrapped and dropped before anything can fail: a traceback may show what local variables hold.
    key = hidden(environment.get("MEMORAM_API_KEY") if api_key is None else api_key)
    given = {
        name: _setting(name, hidden(value), environment)
        for name, value in (
            ("base_url", base_url),
            ("auth_url", auth_url),
            ("authorization_endpoint", authorization_endpoint),
            ("token_endpoint", token_endpoint),
            ("client_id", client_id),
            ("client_secret", client_secret),
            ("secret", secret),
            ("dashboard_url", dashboard_url),
        )
    }
    insecure = _insecure(allow_insecure_http, environment)
    del api_key, base_url, auth_url, authorization_endpoint, token_endpoint, client_id, client_secret
    del secret, dashboard_url, environment
    checked_key = _api_key(key)

    def address(name: str, default: str) -> str:
        shown, value = given[name]
        return check_base_url(default if value is None else value, name=shown, allow_insecure_http=insecure)

    def endpoint(name: str, path: str) -> str:
        """An address that is used exactly as it was given."""
        checked = address(name, f"{auth}{path}")
        value = given[name][1]
        return checked if value is None else value.reveal()

    auth = address("auth_url", DEFAULT_AUTH_URL)
    identity = _credential(*given["client_id"])
    shown, sealing = given["secret"]
    return Config(
        api_key=checked_key,
        base_url=address("base_url", DEFAULT_BASE_URL),
        auth_url=auth,
        authorization_endpoint=endpoint("authorization_endpoint", "/oauth/authorize"),
        token_endpoint=endpoint("token_endpoint", "/oauth/token"),
        client_id=None if identity is None else identity.reveal(),
        client_secret=_credential(*given["client_secret"]),
        secrets=sealing_secrets(sealing, name=shown, api_key=checked_key),
        dashboard_url=check_link(given["dashboard_url"][1], name=given["dashboard_url"][0]),
    )


def _insecure(argument: object, environment: Mapping[str, str]) -> bool:
    """Whether secrets may travel in clear; only a plain yes permits it."""
    if isinstance(argument, bool):
        return argument
    if argument is not None:
        kind = type(argument).__name__
        del environment
        raise ConfigurationError(f"allow_insecure_http must be True, False or None, not {kind}")
    said = environment.get(_INSECURE_VARIABLE, "").strip().lower()
    if said in _SWITCH:
        return _SWITCH[said]
    del environment, said
    raise ConfigurationError(f"{_INSECURE_VARIABLE} must be 1 or 0")


def _setting(name: str, argument: Secret | None, environment: Mapping[str, str]) -> tuple[str, Secret | None]:
    """The name of the setting that holds, and its value, which may be a secret or have one in it."""
    if argument is not None:
        return name, argument
    variable = f"MEMORAM_{name.upper()}"
    return variable, hidden(environment.get(variable) or None)


def _credential(name: str, value: Secret | None) -> Secret | None:
    """A client id or secret that is safe in a form.

    Raises:
        ConfigurationError: It is empty, no text, or holds anything but visible ASCII.
    """
    text = None if value is None else cast("object", value.reveal())  # whatever it was that was passed
    if text is None or (isinstance(text, str) and is_visible_ascii(text) and not is_masked(text)):
        return value
    masked = isinstance(text, str) and is_masked(text)
    del text
    if masked:
        raise ConfigurationError(f"{name} {MASKED}")
    raise ConfigurationError(
        f"{name} must be a string without white space, control or non-ASCII characters: copy it again, "
        "without quotes or a trailing newline"
    )
