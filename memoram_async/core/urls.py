"""Addresses: base URLs that may be trusted with secrets, and paths that stay below them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import quote, unquote, urlencode, urlsplit

from memoram_async.core.errors import ConfigurationError, InvalidArgumentError
from memoram_async.core.secret import Secret

_UNPRINTABLE: Final = re.compile(r"[\x00-\x20\x7f]")
_NOT_IN_ID: Final = re.compile(r"[\s\x00-\x1f\x7f-\x9f/?#\\\ud800-\udfff]")
_HOST_NAME: Final = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?")
# What no encoding changes, in a path as in a query (RFC 3986 2.3).
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.~-]+").fullmatch
_NOT_IN_SEGMENT: Final = re.compile(r"[/\\\x00-\x1f\x7f]")

DEFAULT_PORTS: Final = {"http": 80, "https": 443}

_INSECURE: Final = (
    "uses http:// to a host that is not this machine, so secrets would travel in clear: use https://, or "
    "pass allow_insecure_http=True or set MEMORAM_ALLOW_INSECURE_HTTP=1 if the network in between is yours"
)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return None if "%" in host else ipaddress.ip_address(host)
    except ValueError:
        return None


def is_address(host: str) -> bool:
    """Whether a text is an IPv4 or IPv6 address."""
    return _address(host) is not None


def is_host(host: str) -> bool:
    """Whether a text is a host name in ASCII or an address."""
    return _HOST_NAME.fullmatch(host) is not None or _address(host) is not None


def is_loopback(host: str) -> bool:
    """Whether a host is this machine for certain; a resolver may send `*.localhost` elsewhere."""
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def _fault_of(url: str, *, allow_insecure_http: bool) -> str | None:
    """What is wrong with a base URL, without quoting it: it may hold a password."""
    if not url or _UNPRINTABLE.search(url):
        return "is empty or holds white space or a control character"
    if not url.isascii():
        return "holds a non-ASCII character: write the host in its xn-- form and percent-encode the rest"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "is not a valid URL"
    checks = (
        (parts.scheme not in {"http", "https"} or not host, "must be an absolute https:// URL with a host"),
        ("@" in parts.netloc, "must not hold a user name or password"),
        ("?" in url or "#" in url, "must not have a query or fragment"),
        (not is_host(host) or port == 0 or "\\" in url, "is not a valid URL"),
        (parts.scheme == "http" and not is_loopback(host) and not allow_insecure_http, _INSECURE),
    )
    return next((fault for is_so, fault in checks if is_so), None)


def check_base_url(url: object, *, name: str, allow_insecure_http: bool = False) -> str:
    """A base URL without its trailing slash.

    Args:
        url: What the user configured, plain or wrapped.
        name: The setting that it came from, for the message.
        allow_insecure_http: Permit `http://` to hosts other than loopback.

    Raises:
        ConfigurationError: The URL cannot be trusted with secrets, or is none.
    """
    text = url.reveal() if isinstance(url, Secret) else url
    if isinstance(text, str):
        fault = _fault_of(text, allow_insecure_http=allow_insecure_http)
        if fault is None:
            return text.rstrip("/")
    else:
        fault = "must be a string"
    del url, text
    raise ConfigurationError(f"{name} {fault}")


def check_link(url: object, *, name: str) -> str | None:
    """An address that users are sent to, exactly as it was given; None for None.

    Nothing is sent there, so that it may be `http://`, and have a query and a fragment.

    Raises:
        ConfigurationError: It is no absolute URL, or holds a user name or password.
    """
    text = url.reveal() if isinstance(url, Secret) else url
    if text is None:
        return None
    if isinstance(text, str):
        fault = _fault_of(text.partition("#")[0].partition("?")[0], allow_insecure_http=True)
        if fault is None and not _UNPRINTABLE.search(text) and text.isprintable():
            return text
    del url, text
    raise ConfigurationError(f"{name} must be an absolute https:// URL, without a user name or password")


def check_id(value: object, *, name: str) -> str:
    """An identifier that is safe as one path segment.

    Raises:
        InvalidArgumentError: It is not a string, empty, `.` or `..`, or holds a slash, a question mark,
            a number sign, a backslash, white space or a control character.
    """
    if isinstance(value, str) and value not in {"", ".", ".."} and not _NOT_IN_ID.search(value):
        return value
    wrong = None if isinstance(value, str) else type(value).__name__
    del value
    raise InvalidArgumentError(
        f"{name} must be a string, not {wrong}"
        if wrong
        else f"{name} is not an identifier: it is empty, '.' or '..', or holds '/', '?', '#', a backslash, "
        "white space or a control character; pass the id exactly as the service gave it"
    )


def expand(template: str, **ids: str) -> str:
    """A path from a template such as `/tags/{tagId}`; each identifier is percent-encoded whole."""
    return template.format_map(
        {name: value if _PLAIN(value) else quote(value, safe="") for name, value in ids.items()}
    )


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
        and not {"?", "#"} & set(value)
        and not any(_leaves(unquote(segment)) for segment in value.split("/"))
    ):
        return value
    del value
    raise InvalidArgumentError(
        "path must begin with a single '/', be percent-encoded ASCII, have no '.' or '..' segment and no "
        "slash, backslash or control character within one, not even encoded, and carry no host, query or "
        "fragment (use params=)"
    )


def _leaves(segment: str) -> bool:
    """Whether a decoded segment may lead elsewhere, once a server or proxy decodes before it resolves."""
    return segment in {".", ".."} or _NOT_IN_SEGMENT.search(segment) is not None


def with_query(url: str, params: Mapping[str, object]) -> str:
    """A URL with query parameters; those that are None are left out, booleans are `true` and `false`.

    Raises:
        InvalidArgumentError: A value cannot be written: text with a lone surrogate, bytes, several values in
            one, or a number of thousands of digits.
    """
    pairs: list[str] = []
    for name, value in params.items():
        if type(value) is str and _PLAIN(value) and _PLAIN(name):
            pairs.append(f"{name}={value}")
        elif value is not None:
            break
    else:
        return f"{url}?{'&'.join(pairs)}" if pairs else url
    del pairs, value
    given = {
        name: value.reveal() if isinstance(value, Secret) else value
        for name, value in params.items()
        if value is not None
    }
    try:
        query = urlencode({name: _query_text(value) for name, value in given.items()})
    except (TypeError, ValueError):
        # UnicodeEncodeError, a ValueError, holds the whole text.
        pass
    else:
        return f"{url}?{query}"
    del params, given
    raise InvalidArgumentError(
        "a query parameter cannot be written: it holds a lone surrogate, bytes, several values in one, or a "
        "number of thousands of digits"
    )


def _query_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Iterable) and not isinstance(value, str):
        raise TypeError
    return str(value)


def origin(url: str) -> str:
    """Scheme, host and port of a URL (RFC 6454 6.1): the part of an address that is safe to show."""
    try:
        parts = urlsplit(url)
        if parts.scheme in {"http", "https"} and parts.hostname and parts.hostname.isprintable():
            host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
            port = parts.port if parts.port != DEFAULT_PORTS[parts.scheme] else None
            return f"{parts.scheme}://{host}" + (f":{port}" if port else "")
    except ValueError:
        pass
    return "an address that is none"
