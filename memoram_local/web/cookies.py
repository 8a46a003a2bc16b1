"""The platform's cookies, whose names differ from one platform to the next.

Browsers keep cookies by host name and not by port. Under one name, two platforms of a machine would sign each
other's users out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from memoram_local.services.services import Services

Kind = Literal["session", "word"]

# Only https can set such a cookie, for this host alone and all its paths (RFC 6265bis section 4.1.3.2).
_HOST_PREFIX: Final = "__Host-"


class Cookies:
    """Sets, reads and removes the cookies of one platform. No script and no other site can read them."""

    def __init__(self, services: Services) -> None:
        self._instance = services.instance
        self._has_https_origin = (services.base_url or "").startswith("https:")

    def get(self, request: Request, kind: Kind) -> str:
        """What a browser sent; empty when it sent none."""
        return request.cookies.get(self._name(request, kind), "")

    def put(self, answer: Response, request: Request, kind: Kind, value: str, *, seconds: int) -> None:
        """Let the browser keep a value."""
        answer.set_cookie(
            self._name(request, kind),
            value,
            max_age=seconds,
            httponly=True,
            samesite="lax",
            secure=self._is_https(request),
        )

    def remove(self, answer: Response, request: Request, kind: Kind) -> None:
        """Let the browser forget a value."""
        name, secure = self._name(request, kind), self._is_https(request)
        answer.delete_cookie(name, httponly=True, samesite="lax", secure=secure)

    def _name(self, request: Request, kind: Kind) -> str:
        prefix = _HOST_PREFIX if self._is_https(request) else ""
        return f"{prefix}memoram_{kind}_{self._instance}"

    def _is_https(self, request: Request) -> bool:
        return self._has_https_origin or request.url.scheme == "https"
