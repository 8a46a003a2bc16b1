"""The page that tells a user who read and wrote."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from memoram_local.http.routing import resource
from memoram_local.web import marks
from memoram_local.web.dashboard import HOME

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from memoram_local.services.services import Services
    from memoram_local.store.accounts import Account
    from memoram_local.web.pages import Pages
    from memoram_local.web.visitors import Visitors

_ENTRIES_A_PAGE: Final = 50


class AccessLogPages:
    """Who read and wrote."""

    def __init__(self, services: Services, pages: Pages, visitors: Visitors) -> None:
        self._services = services
        self._pages = pages
        self._visitors = visitors

    def routes(self) -> list[Route]:
        """The route of this page."""
        return [resource(f"{HOME}/activity", get=self._visitors.only(self.show, home=HOME))]

    async def show(self, request: Request, account: Account) -> Response:
        """A page of the user's log."""
        services = self._services
        before = marks.two_numbers(request)
        await services.activity.written()
        find = partial(
            services.access_log.newest, account_id=account.id, limit=_ENTRIES_A_PAGE, before=before
        )
        entries, more = await services.database.read(find)
        return self._pages.render(
            "activity.html",
            request=request,
            account=account,
            entries=entries,
            is_first=before is None,
            more=marks.written(more),
        )
