"""All routes of the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memoram_local.web.access_log import AccessLogPages
from memoram_local.web.accounts import AccountPages
from memoram_local.web.app_pages import AppPages
from memoram_local.web.applications import ApplicationPages
from memoram_local.web.confirmation import Confirmations
from memoram_local.web.consent import ConsentPages
from memoram_local.web.dashboard import DashboardPages
from memoram_local.web.events import Events
from memoram_local.web.keys import KeyPages
from memoram_local.web.memories import MemoryPages
from memoram_local.web.memory_api import MemoryApiPages
from memoram_local.web.own_account import OwnAccountPages
from memoram_local.web.portal import PortalPages
from memoram_local.web.visitors import Visitors

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from memoram_local.services.services import Services
    from memoram_local.web.assets import Assets
    from memoram_local.web.pages import Pages


def web_routes(services: Services, pages: Pages, assets: Assets) -> list[BaseRoute]:
    """The pages and what they load."""
    visitors = Visitors(services, pages.cookies)
    confirmations = Confirmations(services)
    return [
        *AccountPages(services, pages, visitors).routes(),
        *OwnAccountPages(services, pages, visitors, confirmations).routes(),
        *PortalPages(services, pages, visitors).routes(),
        *AppPages(services, pages, visitors, confirmations).routes(),
        *DashboardPages(services, pages, visitors).routes(),
        *ApplicationPages(services, pages, visitors).routes(),
        *KeyPages(services, pages, visitors, confirmations).routes(),
        *Events(services, visitors).routes(),
        *MemoryPages(services, pages, visitors).routes(),
        *AccessLogPages(services, pages, visitors).routes(),
        *MemoryApiPages(services, pages, visitors).routes(),
        *ConsentPages(services, pages, visitors).routes(),
        *assets.routes(),
    ]
