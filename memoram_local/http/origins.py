"""Under which address a request reached the platform."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from starlette.datastructures import Headers
    from starlette.requests import Request

    from memoram_local.services.services import Services


def origin_of(request: Request, services: Services) -> str:
    """The platform's origin: as configured, else as this request names it. Also the OAuth issuer."""
    if services.base_url is not None:
        return services.base_url
    return f"{request.url.scheme}://{request.headers.get('host', '')}"


def host_name(host: str) -> str:
    """The name in a Host header, in lower case and without the port; empty when it is malformed."""
    try:
        parts = urlsplit(f"//{host}")
        port_is_fine = parts.port is None or parts.port >= 0
    except ValueError:
        return ""
    if parts.hostname is None or not port_is_fine or parts.netloc != host or "@" in host:
        return ""
    return parts.hostname


def is_loopback(host: str) -> bool:
    """Whether a host is a loopback address, any of them; names are none, not even `localhost`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_cross_site(headers: Headers) -> bool:
    """Whether a browser sent this request on behalf of another site.

    Browsers say so in Sec-Fetch-Site, older ones in Origin. Clients that send neither hold no cookies that a
    foreign page could make them use.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")
