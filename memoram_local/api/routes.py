"""All routes of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memoram_local.api.access_requests import AccessRequestsApi
from memoram_local.api.memory_blobs import MemoryBlobsApi
from memoram_local.api.tags import TagsApi
from memoram_local.api.tokens import TokensApi

if TYPE_CHECKING:
    from starlette.routing import Route

    from memoram_local.services.services import Services


def api_routes(services: Services) -> list[Route]:
    """The REST API: what is called most comes first, because routes are tried in turn."""
    return [
        *MemoryBlobsApi(services).routes(),
        *TagsApi(services).routes(),
        *AccessRequestsApi(services).routes(),
        *TokensApi(services).routes(),
    ]
