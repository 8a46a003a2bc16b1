"""The dashboard: users decide who may see their memories."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from memoram_local.errors import DecisionError, NotFoundError
from memoram_local.http.routing import resource
from memoram_local.web.pages import name

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from memoram_local.services.services import Services
    from memoram_local.store.access_requests import AccessRequest, Decision, EndedAccess, Status
    from memoram_local.store.accounts import Account
    from memoram_local.web.pages import Pages
    from memoram_local.web.visitors import Visitors

HOME: Final = "/dashboard"

# What a user has to do, then what a user may want to undo, then what is over.
_ORDER: Final[tuple[tuple[Status, ...], ...]] = (("pending",), ("approved",), ("rejected", "revoked"))
_SHOWN_OF_EACH: Final = 100

_WORDS: Final[dict[Decision, Markup]] = {
    "approve": Markup("{} has access now."),
    "reject": Markup("The request of {} is rejected."),
    "revoke": Markup("{} has no access any more."),
}


@dataclass(frozen=True, slots=True)
class _Shown:
    """The requests that the page shows, whether there are more, and how many wait in all."""

    requests: tuple[AccessRequest, ...]
    is_cut: bool
    waiting: int


class DashboardPages:
    """What users see."""

    def __init__(self, services: Services, pages: Pages, visitors: Visitors) -> None:
        self._services = services
        self._pages = pages
        self._visitors = visitors

    def routes(self) -> list[Route]:
        """The routes of these pages."""
        only = partial(self._visitors.only, home=HOME)
        return [
            resource(HOME, get=only(self.show)),
            resource(f"{HOME}/requests/{{request_id}}/approve", post=only(self.approve)),
            resource(f"{HOME}/requests/{{request_id}}/reject", post=only(self.reject)),
            resource(f"{HOME}/requests/{{request_id}}/revoke", post=only(self.revoke)),
        ]

    async def show(self, request: Request, account: Account) -> Response:
        """The user's memory key and everyone who asked for access."""
        return await self._show(request, account)

    async def approve(self, request: Request, account: Account) -> Response:
        """Let the application in."""
        return await self._decide(request, account, "approve")

    async def reject(self, request: Request, account: Account) -> Response:
        """Do not let the application in."""
        return await self._decide(request, account, "reject")

    async def revoke(self, request: Request, account: Account) -> Response:
        """Let the application in no more."""
        return await self._decide(request, account, "revoke")

    async def _decide(self, request: Request, account: Account, decision: Decision) -> Response:
        request_id: str = request.path_params["request_id"]
        access_requests = self._services.access_requests

        def decide(connection: Connection) -> Markup:
            request = access_requests.get(connection, request_id)
            if decision == "revoke" and request.status == "approved" and request.user_id == account.id:
                ended = access_requests.end_access(
                    connection, app_id=request.app_id, account_id=request.user_id
                )
                return words_of_ended_access(request.app_name, ended)
            decided = access_requests.decide(connection, request_id, decision, account_id=account.id)
            return _WORDS[decision].format(name(decided.app_name))

        try:
            word = await self._services.database.write(decide)
        except NotFoundError as error:
            return await self._show(request, account, status=404, problem=str(error))
        except DecisionError as error:
            # As when another tab was faster: the page shows how the request stands now.
            return await self._show(request, account, status=409, problem=str(error))
        return self._pages.done(request, HOME, word)

    async def _show(
        self, request: Request, account: Account, *, status: int = 200, problem: str = ""
    ) -> Response:
        services = self._services

        def find(connection: Connection) -> tuple[_Shown, int, frozenset[str]]:
            newest_change = services.access_requests.newest_change(connection, account.id)
            return _shown(services, connection, account), newest_change, services.apps.namesakes(connection)

        shown, newest_change, namesakes = await services.database.read(find)
        return self._pages.render(
            "dashboard.html",
            # What refreshes itself in the background must not take the word from who waits for it.
            request=None if "live" in request.query_params else request,
            account=account,
            status=status,
            problem=problem,
            requests=shown.requests,
            namesakes=namesakes,
            waiting=shown.waiting,
            shown_of_each=_SHOWN_OF_EACH if shown.is_cut else None,
            newest_change=newest_change,
        )


def _shown(services: Services, connection: Connection, account: Account) -> _Shown:
    shown: list[AccessRequest] = []
    is_cut = False
    for statuses in _ORDER:
        newest = [
            request
            for status in statuses
            for request in services.access_requests.of_account(
                connection, account.id, status=status, limit=_SHOWN_OF_EACH + 1
            )
        ]
        newest.sort(key=lambda request: request.created_at, reverse=True)
        shown += newest[:_SHOWN_OF_EACH]
        is_cut = is_cut or len(newest) > _SHOWN_OF_EACH
    waiting = services.access_requests.count(connection, account.id, status="pending")
    return _Shown(tuple(shown), is_cut, waiting)


def words_of_ended_access(app_name: str, ended: EndedAccess) -> Markup:
    """What revoking ended, for the user."""
    requests, sign_ins = len(ended.request_ids), ended.consents
    parts = [
        *([f"{requests} approved requests are revoked"] if requests > 1 else []),
        *(["the approved request is revoked"] if requests == 1 else []),
        *(["your sign-in is undone, with its tokens"] if sign_ins else []),
    ]
    if not parts:
        return Markup("{} had no access.").format(name(app_name))
    return Markup("{} is locked out: {}.").format(name(app_name), ", and ".join(parts))
