"""Which addresses an application may be sent back to (RFC 6749 section 3.1.2)."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from memoram_local.errors import RegistrationError

# What a URI may consist of (RFC 3986 section 2), which also keeps it on one line and inside a header.
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9._~:/?\[\]@!$&'()*+,;=%-]+")
_RUNS_IN_THE_BROWSER = frozenset({"about", "blob", "data", "file", "filesystem", "javascript", "vbscript"})
# A name or an IPv4 address; an IPv6 address, whose brackets are gone.
_HOST = re.compile(r"[A-Za-z0-9._~-]+|[0-9A-Fa-f:.]+")
_HOST_SOURCE = re.compile(r"[A-Za-z0-9.-]+(:[0-9]+)?")


def checked(uri: str) -> str:
    """The URI itself, when it can be registered.

    https may lead anywhere, http to this machine alone (RFC 8252 section 7.3), and a scheme of an
    application's own to that application (section 7.1).

    Raises:
        RegistrationError: It is relative, has a fragment, a user, a wildcard or a port that is none, leads
            elsewhere by http, or has a scheme that browsers run or read locally.
    """
    try:
        parts = urlsplit(uri) if _URI.fullmatch(uri) else None
        port = None if parts is None else parts.port
    except ValueError:
        parts = port = None
    if parts is None or (parts.scheme in {"http", "https"} and not parts.hostname):
        raise RegistrationError(f"{uri!r} is not an absolute redirect URI without a fragment.")
    if parts.scheme in _RUNS_IN_THE_BROWSER:
        raise RegistrationError(f"Redirect URIs cannot have the scheme {parts.scheme!r}.")
    if "@" in parts.netloc:
        raise RegistrationError(f"{uri!r} names a user, which hides where it leads.")
    if "*" in parts.netloc:
        raise RegistrationError(f"{uri!r} has a wildcard: register each address.")
    if port == 0 or parts.netloc.endswith(":"):
        raise RegistrationError(f"{uri!r} has a port that is none.")
    if parts.scheme in {"http", "https"} and _HOST.fullmatch(parts.hostname or "") is None:
        raise RegistrationError(f"{uri!r} has a host that is none.")
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        raise RegistrationError(f"{uri!r} leads to another machine by http: https is needed there.")
    return uri


def leads_to(registered: str, asked: str) -> bool:
    """Whether an address that a request names is a registered one: the same, character by character.

    By http on this machine the port may be another one: native applications get theirs when they start
    (RFC 8252 section 7.3).
    """
    return registered == asked or (
        registered.startswith("http://") and _without_port(registered) == _without_port(asked)
    )


def _without_port(uri: str) -> str | None:
    """A loopback address without its port; None for any other."""
    try:
        checked(uri)
    except RegistrationError:
        return None
    parts = urlsplit(uri)
    if parts.scheme != "http" or not uri.startswith("http://"):
        return None
    host = parts.netloc if parts.port is None else parts.netloc.rpartition(":")[0]
    return f"{host}{uri[len('http://') + len(parts.netloc) :]}"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def form_action_source(uri: str) -> str:
    """The Content-Security-Policy source that lets a form's answer redirect to a registered URI.

    Chromium applies `form-action` to every redirect that follows a form. Hosts that the policy's grammar
    cannot express, such as IPv6 addresses, and schemes without hosts are allowed by scheme.
    """
    parts = urlsplit(uri)
    host = parts.netloc.rpartition("@")[2]
    if parts.scheme in {"http", "https"} and _HOST_SOURCE.fullmatch(host):
        return f"{parts.scheme}://{host}"
    return f"{parts.scheme}:"
