"""`/access-requests`: asking users for access, and what they grant."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from memoram_local.api.answers import ApiError, json_answer
from memoram_local.api.bearer import calling_app
from memoram_local.api.members import read_body
from memoram_local.behaviour import behaviour
from memoram_local.clock import iso
from memoram_local.errors import NotFoundError
from memoram_local.routing import resource

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from memoram_local.services import Services
    from memoram_local.store.access_requests import AccessRequest
    from memoram_local.store.accounts import Account

_REASON_LENGTH = 255
_MEMORY_KEY_LENGTH = 200


class AccessRequestsApi:
    """Answers for access requests."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def routes(self) -> list[Route]:
        """The routes of this resource."""
        return [
            resource("/access-requests", get=self.list_all, post=self.create),
            resource("/access-requests/{request_id}", get=self.get),
            resource("/access-requests/{request_id}/credentials", get=self.credentials),
        ]

    @behaviour("create-access-request.reason", "documented", "A reason has at most 255 characters.")
    @behaviour("create-access-request.unknown-key", "documented", "An unknown memory key gives 404.")
    async def create(self, request: Request) -> Response:
        """Contract operation createAccessRequest."""
        app_id = calling_app(request, self._services.tokens)
        body = await read_body(request)
        memory_key = body.text("memoryKey", longest=_MEMORY_KEY_LENGTH)
        reason = body.text("reason", longest=_REASON_LENGTH)
        services = self._services

        def ask(connection: Connection) -> AccessRequest:
            account = services.accounts.by_memory_key(connection, memory_key)
            if account is None:
                raise ApiError(404, "No user has this memoryKey.")
            return services.access_requests.create(connection, app_id=app_id, account=account, reason=reason)

        return json_answer(_on_the_wire(await services.database.write(ask)), status=201)

    @behaviour("list-access-requests.paging", "invented", "There are no pages; total counts the items.")
    async def list_all(self, request: Request) -> Response:
        """Contract operation listAccessRequests."""
        app_id = calling_app(request, self._services.tokens)
        services = self._services
        found = await services.database.read(partial(services.access_requests.all, app_id=app_id))
        return json_answer({"items": [_on_the_wire(item) for item in found], "total": len(found)})

    async def get(self, request: Request) -> Response:
        """Contract operation getAccessRequest."""
        app_id = calling_app(request, self._services.tokens)
        request_id: str = request.path_params["request_id"]

        def find(connection: Connection) -> AccessRequest:
            return self._find(connection, request_id, app_id)

        return json_answer(_on_the_wire(await self._services.database.read(find)))

    @behaviour("get-credentials.unapproved", "documented", "Pending, rejected and revoked are met with 403.")
    async def credentials(self, request: Request) -> Response:
        """Contract operation getAccessCredentials."""
        app_id = calling_app(request, self._services.tokens)
        request_id: str = request.path_params["request_id"]
        services = self._services

        def open_up(connection: Connection) -> Account:
            found = self._find(connection, request_id, app_id)
            if found.status != "approved":
                raise ApiError(
                    403,
                    f"The access request is {found.status}, not approved.",
                    code=f"access_{found.status}",
                )
            account = services.accounts.by_id(connection, found.user_id)
            assert account is not None  # noqa: S101 - a foreign key leads there
            return account

        account = await services.database.read(open_up)
        return json_answer(
            {
                "user_id": account.id,
                "memory_key": account.memory_key,
                "encryption_key": account.encryption_key,
                "key_version": account.key_version,
            }
        )

    @behaviour("access-requests.foreign", "inferred", "Another application's request does not exist: 404.")
    def _find(self, connection: Connection, request_id: str, app_id: str) -> AccessRequest:
        try:
            return self._services.access_requests.get(connection, request_id, app_id=app_id)
        except NotFoundError as error:
            raise ApiError(404, "There is no such access request.") from error


@behaviour("access-requests.user-id", "inferred", "user_id is there once the request was approved.")
def _on_the_wire(found: AccessRequest) -> dict[str, object]:
    answer: dict[str, object] = {
        "id": found.id,
        "status": found.status,
        "reason": found.reason,
        "memoryKey": found.memory_key,
        "aiConnectorId": found.app_id,
        "createdAt": iso(found.created_at),
        "updatedAt": iso(found.updated_at),
    }
    if found.approved_at is not None:
        answer["user_id"] = found.user_id
    return answer
