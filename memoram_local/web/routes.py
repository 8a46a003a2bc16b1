"""All routes of the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from memoram_local.web.accounts import AccountPages
from memoram_local.web.consent import ConsentPages
from memoram_local.web.dashboard import DashboardPages
from memoram_local.web.pages import STATIC_FOLDER
from memoram_local.web.portal import PortalPages
from memoram_local.web.visitors import Visitors

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from memoram_local.services import Services
    from memoram_local.web.pages import Pages


def web_routes(services: Services, pages: Pages) -> list[BaseRoute]:
    """The pages and what they load."""
    visitors = Visitors(services)
    return [
        *AccountPages(services, pages, visitors).routes(),
        *PortalPages(services, pages, visitors).routes(),
        *DashboardPages(services, pages, visitors).routes(),
        *ConsentPages(services, pages, visitors).routes(),
        Mount("/static", StaticFiles(directory=STATIC_FOLDER)),
    ]
