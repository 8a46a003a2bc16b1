"""All routes of Memory API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memoram_local.memory_api.accounts import AccountsApi
from memoram_local.memory_api.door import Door
from memoram_local.memory_api.memories import MemoriesApi
from memoram_local.memory_api.queries import QueriesApi
from memoram_local.memory_api.usage import UsageApi

if TYPE_CHECKING:
    from starlette.routing import Route

    from memoram_local.services.services import Services


def memory_api_routes(services: Services) -> list[Route]:
    """The REST API of the second service: what is called most comes first."""
    door = Door(services)
    return [
        *MemoriesApi(services, door).routes(),
        *QueriesApi(services, door).routes(),
        *AccountsApi(services, door).routes(),
        *UsageApi(services, door).routes(),
    ]
