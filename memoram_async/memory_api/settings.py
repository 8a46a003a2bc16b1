"""The settings of a Memory API client: keyword arguments first, then the environment, then defaults."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from memoram_async.core.errors import ConfigurationError
from memoram_async.core.key_forms import environment_of
from memoram_async.core.secret import Secret, hidden
from memoram_async.core.urls import check_base_url
from memoram_async.memory_api.arguments import AuthHeader, EnvironmentName

DEFAULT_BASE_URL: Final = "https://api.memory-api.com/v1"


class LiveKeyWarning(UserWarning):
    """A live key is used where only the sandbox is meant: what is written is written in production."""


class Settings(NamedTuple):
    """What all clients of a family share.

    Attributes:
        api_key: The key; None as long as no call needs one.
        environment: Where the key works; without a key, what was asked for.
        auth_header: The header field that the key is sent in.
        base_url: The API's address, version included, without a trailing slash.
    """

    api_key: Secret | None
    environment: Literal["live", "test"] | None
    auth_header: AuthHeader
    base_url: str


def resolve(
    *,
    api_key: str | Secret | None,
    environment: EnvironmentName | None,
    auth_header: AuthHeader,
    base_url: str | Secret | None,
    allow_insecure_http: bool,
    variables: Mapping[str, str],
) -> Settings:
    """The settings that hold, from arguments and environment variables.

    Raises:
        ConfigurationError: A setting cannot be used; the message names it.
    """
    # Wrapped and dropped before anything can fail: a traceback may show what local variables hold.
    key = hidden(variables.get("MEMORY_API_KEY") or None if api_key is None else api_key)
    url = hidden(variables.get("MEMORY_API_BASE_URL") or DEFAULT_BASE_URL if base_url is None else base_url)
    url_name = "MEMORY_API_BASE_URL" if base_url is None else "base_url"
    wanted: object = environment
    wanted_name = "environment"
    if environment is None:
        wanted, wanted_name = variables.get("MEMORY_API_ENVIRONMENT") or None, "MEMORY_API_ENVIRONMENT"
    del api_key, base_url, variables
    # Compared, as not everything that may be passed can be looked up in a set.
    if wanted is not None and not any(wanted == known for known in ("live", "test")):
        raise ConfigurationError(f"{wanted_name} must be 'live' or 'test'")
    if not any(auth_header == known for known in ("authorization", "x-api-key")):
        raise ConfigurationError("auth_header must be 'authorization' or 'x-api-key'")
    its_own = wanted if key is None else environment_of(key)
    if its_own == "live" and wanted == "test":
        warnings.warn(
            f"a live API key (mem_live_...) is used where {wanted_name} says test, so that production is "
            "written to: use a key that begins with mem_test_",
            LiveKeyWarning,
            stacklevel=3,
        )
    return Settings(
        api_key=key,
        environment="live" if its_own == "live" else "test" if its_own == "test" else None,
        auth_header=auth_header,
        base_url=check_base_url(url, name=url_name, allow_insecure_http=allow_insecure_http),
    )
