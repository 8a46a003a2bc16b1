"""All routes of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Mount, Router

from memoram_local.api.access_requests import AccessRequestsApi
from memoram_local.api.memory_blobs import MemoryBlobsApi
from memoram_local.api.tags import TagsApi
from memoram_local.api.tokens import TokensApi

if TYPE_CHECKING:
    from memoram_local.services import Services

API_PATH = "/api/v1"


def api_routes(services: Services) -> Mount:
    """The REST API, mounted where the contract has it."""
    routes = [
        *TokensApi(services).routes(),
        *AccessRequestsApi(services).routes(),
        *MemoryBlobsApi(services).routes(),
        *TagsApi(services).routes(),
    ]
    return Mount(API_PATH, Router(routes, redirect_slashes=False))
