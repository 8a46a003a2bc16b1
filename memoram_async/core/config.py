"""The settings of a client: keyword arguments first, then the environment, then defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import attrs

from memoram_async.core.arguments import check_retries, check_seconds, is_visible_ascii
from memoram_async.core.errors import ConfigurationError
from memoram_async.core.secret import Secret, hidden
from memoram_async.core.urls import check_base_url

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_BASE_URL: Final = "https://api.memoram.app/api/v1"
DEFAULT_AUTH_URL: Final = "https://auth.memoram.io"
DEFAULT_TIMEOUT: Final = 60.0
DEFAULT_REQUEST_TIMEOUT: Final = 20.0
DEFAULT_MAX_RETRIES: Final = 2
DEFAULT_MAX_CONNECTIONS: Final = 100


@attrs.frozen(kw_only=True)
class Options:
    """What one client of a family may set differently from another.

    Attributes:
        timeout: Seconds that a whole call may take, retries and waiting included; None for no limit.
        request_timeout: Seconds that connecting, each read and each write of one request may take.
        max_retries: How often a request that failed without harm is sent again.
    """

    timeout: float | None = DEFAULT_TIMEOUT
    request_timeout: float = DEFAULT_REQUEST_TIMEOUT
    max_retries: int = DEFAULT_MAX_RETRIES

    def __attrs_post_init__(self) -> None:
        check_seconds(self.timeout, name="timeout", optional=True)
        check_seconds(self.request_timeout, name="request_timeout")
        check_retries(self.max_retries)


@attrs.frozen(kw_only=True)
class Config:
    """What all clients of a family share.

    Attributes:
        api_key: The developer API key.
        base_url: The API's address, version included, without a trailing slash.
        auth_url: The authorization server's address, without a trailing slash.
    """

    api_key: Secret
    base_url: str
    auth_url: str


def _api_key(key: Secret | None) -> Secret:
    text = None if key is None else cast("object", key.reveal())  # whatever it was that was passed
    if key is not None and isinstance(text, str) and is_visible_ascii(text):
        return key
    if text is None or text == "":
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
    allow_insecure_http: bool,
    environment: Mapping[str, str],
) -> Config:
    """The settings that hold, from arguments and environment.

    Args:
        api_key: The developer API key.
        base_url: The API's address.
        auth_url: The authorization server's address.
        allow_insecure_http: Permit `http://` to hosts other than loopback.
        environment: Where arguments that are None are looked up.

    Raises:
        ConfigurationError: A setting is missing or cannot be used; the message names it.
    """
    # Wrapped and dropped before anything can fail: a traceback may show what local variables hold.
    key = hidden(environment.get("MEMORAM_API_KEY") if api_key is None else api_key)
    base_name, base = _address("base_url", base_url, environment, DEFAULT_BASE_URL)
    auth_name, auth = _address("auth_url", auth_url, environment, DEFAULT_AUTH_URL)
    del api_key, base_url, auth_url, environment
    return Config(
        api_key=_api_key(key),
        base_url=check_base_url(base, name=base_name, allow_insecure_http=allow_insecure_http),
        auth_url=check_base_url(auth, name=auth_name, allow_insecure_http=allow_insecure_http),
    )


def _address(
    name: str, argument: str | Secret | None, environment: Mapping[str, str], default: str
) -> tuple[str, Secret | None]:
    """The name of the setting that holds, and its value, which may have a password in it."""
    if argument is not None:
        return name, hidden(argument)
    variable = f"MEMORAM_{name.upper()}"
    return variable, hidden(environment.get(variable) or default)
