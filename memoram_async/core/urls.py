"""Addresses: base URLs that may be trusted with secrets, and paths that stay below them."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode, urlsplit

from memoram_async.core.errors import ConfigurationError, InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Mapping

_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f]")
_NOT_IN_ID = re.compile(r"[\x00-\x20\x7f-\x9f/?#\\\ud800-\udfff]")

_INSECURE = (
    "uses http:// to a host that is not this machine, so secrets would travel in clear: use https://, or "
    "pass allow_insecure_http=True if the network in between is yours"
)


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _fault_of(url: str, *, allow_insecure_http: bool) -> str | None:
    """What is wrong with a base URL, without quoting it: it may hold a password."""
    if not url or _UNPRINTABLE.search(url):
        return "is empty or holds white space or a control character"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is not a valid URL"
    checks = (
        (parts.scheme not in {"http", "https"} or not host, "must be an absolute https:// URL with a host"),
        ("@" in parts.netloc, "must not hold a user name or password"),
        ("?" in url or "#" in url, "must not have a query or fragment"),
        (
            parts.scheme == "http" and not _is_loopback(host or "") and not allow_insecure_http,
            _INSECURE,
        ),
    )
    return next((fault for is_so, fault in checks if is_so), None)


def check_base_url(url: object, *, name: str, allow_insecure_http: bool = False) -> str:
    """A base URL without its trailing slash.

    Args:
        url: What the user configured.
        name: The setting that it came from, for the message.
        allow_insecure_http: Permit `http://` to hosts other than loopback.

    Raises:
        ConfigurationError: The URL cannot be trusted with secrets, or is none.
    """
    fault = (
        _fault_of(url, allow_insecure_http=allow_insecure_http)
        if isinstance(url, str)
        else "must be a string"
    )
    if fault is None:
        return str(url).rstrip("/")
    del url
    raise ConfigurationError(f"{name} {fault}")


def check_id(value: object, *, name: str) -> str:
    """An identifier that is safe as one path segment.

    Raises:
        InvalidArgumentError: It is not a string, empty, `.` or `..`, or holds a slash, a question mark,
            a number sign, a backslash, white space or a control character.
    """
    if not isinstance(value, str):
        raise InvalidArgumentError(f"{name} must be a string, not {type(value).__name__}")
    if value in {"", ".", ".."} or _NOT_IN_ID.search(value):
        del value
        raise InvalidArgumentError(
            f"{name} is not an identifier: it is empty, '.' or '..', or holds '/', '?', '#', a backslash, "
            "white space or a control character; pass the id exactly as the service gave it"
        )
    return value


def path(*segments: str) -> str:
    """A path of literal segments and checked identifiers, each percent-encoded whole."""
    return "/" + "/".join(quote(segment, safe="") for segment in segments)


def check_path(value: object) -> str:
    """A path for a free request, which must stay below the base URL.

    Raises:
        InvalidArgumentError: It is not a path such as `/memory-blobs`, or would leave the base URL.
    """
    if (
        isinstance(value, str)
        and value.startswith("/")
        and not value.startswith("//")
        and not _UNPRINTABLE.search(value)
        and value.isascii()
        and not {"?", "#", "\\"} & set(value)
        and not {".", "..", "%2e", "%2e%2e", ".%2e", "%2e."} & set(value.lower().split("/"))
    ):
        return value
    del value
    raise InvalidArgumentError(
        "path must begin with a single '/', be percent-encoded ASCII, have no '.' or '..' segment, and carry "
        "no host, query or fragment (use params=)"
    )


def with_query(url: str, params: Mapping[str, object]) -> str:
    """A URL with query parameters; those that are None are left out, booleans are `true` and `false`.

    Raises:
        InvalidArgumentError: A value is text that cannot be encoded (a lone surrogate).
    """
    pairs = [(name, _query_text(value)) for name, value in params.items() if value is not None]
    if not pairs:
        return url
    try:
        return f"{url}?{urlencode(pairs)}"
    except UnicodeEncodeError:
        # Its object attribute holds the text.
        del params, pairs
    raise InvalidArgumentError("a query parameter holds a lone surrogate, which cannot be sent")


def _query_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def origin(url: str) -> str:
    """Scheme, host and port of a URL: the part of an address that is safe to show."""
    try:
        parts = urlsplit(url)
        if parts.scheme in {"http", "https"} and parts.hostname and parts.hostname.isprintable():
            host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
            return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")
    except ValueError:
        pass
    return "an address that is none"
