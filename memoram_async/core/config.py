"""The settings of a client: keyword arguments first, then the environment, then defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from memoram_async.core.arguments import check_retries, check_seconds, is_visible_ascii
from memoram_async.core.errors import ConfigurationError
from memoram_async.core.secret import Secret
from memoram_async.core.urls import check_base_url

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_BASE_URL: Final = "https://api.memoram.app/api/v1"
DEFAULT_AUTH_URL: Final = "https://auth.memoram.io"
DEFAULT_TIMEOUT: Final = 60.0
DEFAULT_REQUEST_TIMEOUT: Final = 20.0
DEFAULT_MAX_RETRIES: Final = 2


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


def _api_key(value: object) -> Secret:
    if value is None or value == "":
        raise ConfigurationError(
            "no API key: pass api_key=... or set MEMORAM_API_KEY (a developer creates one in the portal; "
            "'python -m memoram_local serve' gives one for this machine)"
        )
    text = value.reveal() if isinstance(value, Secret) else value
    fault = (
        f"must be a string, not {type(text).__name__}"
        if not isinstance(text, str)
        else None
        if is_visible_ascii(text)
        else "holds white space, a control character or a non-ASCII character: copy it again, without quotes "
        "or a trailing newline"
    )
    if fault is None:
        return Secret(str(text))
    del value, text
    raise ConfigurationError(f"the API key {fault}")


def resolve(
    *,
    api_key: str | Secret | None,
    base_url: str | None,
    auth_url: str | None,
    allow_insecure_http: bool,
    environment: Mapping[str, str],
) -> Config:
    """The settings that hold, from arguments and environment.

    Raises:
        ConfigurationError: A setting is missing or cannot be used; the message names it.
    """

    def url(name: str, argument: str | None, default: str) -> str:
        variable = f"MEMORAM_{name.upper()}"
        if argument is None:
            name, argument = variable, environment.get(variable) or default
        return check_base_url(argument, name=name, allow_insecure_http=allow_insecure_http)

    return Config(
        api_key=_api_key(environment.get("MEMORAM_API_KEY") if api_key is None else api_key),
        base_url=url("base_url", base_url, DEFAULT_BASE_URL),
        auth_url=url("auth_url", auth_url, DEFAULT_AUTH_URL),
    )
