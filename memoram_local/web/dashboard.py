"""The dashboard: users decide who may see their memories."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from memoram_local.errors import DecisionError, NotFoundError
from memoram_local.http.routing import resource
from memoram_local.web.pages import see_other

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from memoram_local.services.services import Services
    from memoram_local.store.access_requests import AccessRequest, Decision, Status
    from memoram_local.store.accounts import Account
    from memoram_local.web.pages import Pages
    from memoram_local.web.visitors import Visitors

HOME: Final = "/dashboard"

# What a user has to do, then what a user may want to undo, then what is over.
_ORDER: Final[dict[Status, int]] = {"pending": 0, "approved": 1, "rejected": 2, "revoked": 2}


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

    async def show(self, _request: Request, account: Account) -> Response:
        """The user's memory key and everyone who asked for access."""
        return await self._show(account)

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

        def decide(connection: Connection) -> AccessRequest:
            return access_requests.decide(connection, request_id, decision, account_id=account.id)

        try:
            await self._services.database.write(decide)
        except NotFoundError as error:
            return await self._show(account, status=404, problem=str(error))
        except DecisionError as error:
            # As when another tab was faster: the page shows how the request stands now.
            return await self._show(account, status=409, problem=str(error))
        return see_other(HOME)

    async def _show(self, account: Account, *, status: int = 200, problem: str = "") -> Response:
        access_requests = self._services.access_requests

        def find(connection: Connection) -> tuple[list[AccessRequest], int]:
            found = access_requests.all(connection, account_id=account.id)
            return found, access_requests.newest_change(connection, account.id)

        found, newest_change = await self._services.database.read(find)
        return self._pages.render(
            "dashboard.html",
            account=account,
            status=status,
            problem=problem,
            requests=sorted(found, key=lambda request: _ORDER[request.status]),
            waiting=sum(request.status == "pending" for request in found),
            newest_change=newest_change,
        )
