"""Puts the API, the authorization server and the pages together as one ASGI application."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Router

from memoram_local.api import answers
from memoram_local.api.answers import ApiError
from memoram_local.api.idempotency import KeyEcho
from memoram_local.api.routes import api_routes
from memoram_local.behaviour import behaviour
from memoram_local.errors import StorageError, StorageFullError, TooManyAttemptsError
from memoram_local.http.calls import CallLog
from memoram_local.http.guards import BodyLimit, FormsOnly, HostGuard, RequestIds, SameOriginGuard
from memoram_local.http.routing import API_PATH, MEMORY_API_PATH
from memoram_local.memory_api.envelope import plain_refusal
from memoram_local.memory_api.routes import memory_api_routes
from memoram_local.oauth.token_endpoint import TokenEndpoint
from memoram_local.web.assets import Assets
from memoram_local.web.pages import Pages
from memoram_local.web.routes import web_routes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

    from memoram_local.controls.rig import Rig
    from memoram_local.services.services import Services

# Below these nobody is known by a cookie, and programs, not people, read the answers.
_FOR_PROGRAMS = (f"{API_PATH}/", f"{MEMORY_API_PATH}/", "/oauth/token", "/.well-known/")

_MESSAGES = {
    400: "The request is not well-formed.",
    404: "There is nothing here.",
    405: "This path does not take that method.",
}


class _Refusals:
    """Words refusals as the reader of each path expects: JSON for programs, a page for people."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def __call__(
        self, path: str, status: int, message: str, headers: Mapping[str, str] | None = None
    ) -> Response:
        if path.startswith(f"{MEMORY_API_PATH}/"):
            return plain_refusal(status, message, headers)
        if path.startswith(_FOR_PROGRAMS):
            return answers.refusal(status, answers.code_of(status), message, headers)
        page = self._pages.error(status, message)
        page.headers.update(headers or {})
        return page

    async def api_error(self, _request: Request, error: Exception) -> Response:
        assert isinstance(error, ApiError)  # noqa: S101 - registered for it alone
        return answers.refusal(error.status, error.code, error.message, error.headers, error.details)

    async def http_exception(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - registered for it alone
        message = _MESSAGES.get(error.status_code, error.detail)
        return self(request.url.path, error.status_code, message, error.headers)

    @behaviour(
        "errors.storage",
        "invented",
        "A full disk is met with 507, code insufficient_storage, and one that cannot be used with 503; "
        "nothing of the request was stored.",
    )
    async def storage_error(self, request: Request, error: Exception) -> Response:
        return self(request.url.path, 507 if isinstance(error, StorageFullError) else 503, f"{error}.")

    async def too_many_attempts(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, TooManyAttemptsError)  # noqa: S101 - registered for it alone
        return self(request.url.path, 429, str(error), {"retry-after": str(error.retry_after)})

    async def internal_error(self, request: Request, _error: Exception) -> Response:
        return self(request.url.path, 500, "Something went wrong inside the platform.")


def build_application(
    services: Services,
    *,
    allowed_hosts: Collection[str],
    max_body_octets: int,
    rig: Rig,
    strict: bool = False,
) -> ASGIApp:
    """The ASGI application of one platform.

    Args:
        services: The platform's parts.
        allowed_hosts: Host names, without ports, under which it may be reached.
        max_body_octets: The largest body that is read.
        rig: What tests want of it.
        strict: Whether requests and answers must keep to the contract.
    """
    assets = Assets()
    pages = Pages(assets, services)
    refuse = _Refusals(pages)
    application = Starlette(
        routes=[
            *api_routes(services),
            *TokenEndpoint(services).routes(),
        ],
        exception_handlers={
            ApiError: refuse.api_error,
            StorageError: refuse.storage_error,
            TooManyAttemptsError: refuse.too_many_attempts,
            HTTPException: refuse.http_exception,
            ClientDisconnect: _say_nothing,
            Exception: refuse.internal_error,
        },
    )
    # A misspelt path is answered with 404, not by sending the client, and its body, elsewhere.
    application.router.redirect_slashes = False

    def router_of_memory_api() -> Router:
        return Router(memory_api_routes(services), redirect_slashes=False)

    def router_of_pages() -> ASGIApp:
        router = Router(web_routes(services, pages, assets), redirect_slashes=False)
        return FormsOnly(router, refuse=refuse)

    application.router.default = _ByPrefix(
        f"{MEMORY_API_PATH}/", _Later(router_of_memory_api), otherwise=_Later(router_of_pages)
    )
    checked = _held_to_contract(application, refuse) if strict else application
    limited = BodyLimit(rig.deciding(checked), octets=max_body_octets)
    same_origin = SameOriginGuard(limited, without_cookies=_FOR_PROGRAMS, refuse=refuse)
    guarded = HostGuard(same_origin, hosts=allowed_hosts, refuse=refuse)
    echoing = KeyEcho(guarded, prefixes=(f"{API_PATH}/memory-blobs", f"{API_PATH}/access-requests"))
    numbered = RequestIds(rig.failing(echoing), randomness=services.request_ids, clock=services.clock)
    return rig.recorded(CallLog(numbered, activity=services.activity, clock=services.clock))


async def _say_nothing(_request: Request, _error: Exception) -> Response:
    """Answer a client that left in the middle of its body: nobody is there to hear."""
    return _Nothing()


class _Nothing(Response):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...


class _ByPrefix:
    """Asks one application for the paths below a prefix, and another one for all others."""

    def __init__(self, prefix: str, below: ASGIApp, *, otherwise: ASGIApp) -> None:
        self._prefix = prefix
        self._below = below
        self._otherwise = otherwise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        app = self._below if scope["path"].startswith(self._prefix) else self._otherwise
        await app(scope, receive, send)


class _Later:
    """An application that is made when it is first asked.

    Most platforms of tests never show a page, and speak one service: making all routes would be most of what
    such a platform costs.
    """

    def __init__(self, make: Callable[[], ASGIApp]) -> None:
        self._make = make
        self._app: ASGIApp | None = None
        self._lock = threading.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        with self._lock:
            if self._app is None:
                self._app = self._make()
        await self._app(scope, receive, send)


def _held_to_contract(application: ASGIApp, refuse: _Refusals) -> ASGIApp:
    # Its libraries are loaded for those alone who ask for it.
    from memoram_local.contract.strict import StrictContract  # noqa: PLC0415

    return StrictContract(application, refuse=refuse)
