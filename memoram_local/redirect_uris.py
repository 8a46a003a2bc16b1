"""Which addresses an application may be sent back to (RFC 6749 section 3.1.2)."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from memoram_local.errors import RegistrationError

# What a URI may consist of (RFC 3986 section 2), which also keeps it on one line and inside a header.
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9._~:/?\[\]@!$&'()*+,;=%-]+")
_RUNS_IN_THE_BROWSER = frozenset({"about", "blob", "data", "file", "filesystem", "javascript", "vbscript"})
_HOST_SOURCE = re.compile(r"[A-Za-z0-9.-]+(:[0-9]+)?")


def checked(uri: str) -> str:
    """The URI itself, when it can be registered.

    Raises:
        RegistrationError: It is relative, has a fragment, or has a scheme that browsers run or read locally.
    """
    try:
        parts = urlsplit(uri) if _URI.fullmatch(uri) else None
    except ValueError:
        parts = None
    if parts is None or (parts.scheme in {"http", "https"} and not parts.hostname):
        raise RegistrationError(f"{uri!r} is not an absolute redirect URI without a fragment.")
    if parts.scheme in _RUNS_IN_THE_BROWSER:
        raise RegistrationError(f"Redirect URIs cannot have the scheme {parts.scheme!r}.")
    return uri


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
