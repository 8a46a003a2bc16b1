"""The dashboard: users decide who may see their memories."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memoram_local.errors import DecisionError, NotFoundError
from memoram_local.routing import resource
from memoram_local.web.pages import see_other
from memoram_local.web.visitors import ask_to_sign_in

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from memoram_local.services import Services
    from memoram_local.store.access_requests import AccessRequest, Decision
    from memoram_local.web.pages import Pages
    from memoram_local.web.visitors import Visitors


class DashboardPages:
    """What users see."""

    def __init__(self, services: Services, pages: Pages, visitors: Visitors) -> None:
        self._services = services
        self._pages = pages
        self._visitors = visitors

    def routes(self) -> list[Route]:
        """The routes of these pages."""
        return [
            resource("/dashboard", get=self.show),
            resource("/dashboard/requests/{request_id}/approve", post=self.approve),
            resource("/dashboard/requests/{request_id}/reject", post=self.reject),
            resource("/dashboard/requests/{request_id}/revoke", post=self.revoke),
        ]

    async def show(self, request: Request) -> Response:
        """The user's memory key and everyone who asked for access."""
        account = await self._visitors.account(request)
        if account is None:
            return ask_to_sign_in("/dashboard")
        access_requests = self._services.access_requests

        def find(connection: Connection) -> list[AccessRequest]:
            return access_requests.all(connection, account_id=account.id)

        found = await self._services.database.read(find)
        return self._pages.render("dashboard.html", account=account, requests=found)

    async def approve(self, request: Request) -> Response:
        """Let the application in."""
        return await self._decide(request, "approve")

    async def reject(self, request: Request) -> Response:
        """Do not let the application in."""
        return await self._decide(request, "reject")

    async def revoke(self, request: Request) -> Response:
        """Let the application in no more."""
        return await self._decide(request, "revoke")

    async def _decide(self, request: Request, decision: Decision) -> Response:
        account = await self._visitors.account(request)
        if account is None:
            return ask_to_sign_in("/dashboard")
        request_id: str = request.path_params["request_id"]
        access_requests = self._services.access_requests

        def decide(connection: Connection) -> AccessRequest:
            return access_requests.decide(connection, request_id, decision, account_id=account.id)

        try:
            await self._services.database.write(decide)
        except NotFoundError as error:
            return self._pages.error(404, str(error))
        except DecisionError as error:
            return self._pages.error(409, str(error))
        return see_other("/dashboard")
