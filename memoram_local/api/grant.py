"""Whether an application may touch a user's memories."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memoram_local.api.answers import ApiError
from memoram_local.api.bearer import require_working_key
from memoram_local.behaviour import behaviour

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from memoram_local.services.developer_tokens import Caller
    from memoram_local.services.services import Services


@behaviour("memories.access", "inferred", "Blobs and tags need an approved access request, else 403.")
@behaviour("memories.unknown-user", "inferred", "A user that does not exist is met like one who said no.")
@behaviour("memories.memory-key", "inferred", "A memoryKey of another user is met with 403.")
def require_grant(
    services: Services,
    connection: Connection,
    *,
    caller: Caller,
    user_id: str,
    memory_key: str | None = None,
) -> None:
    """Go on only if the user lets the application in.

    Args:
        services: The platform.
        connection: In the unit of work that then touches the memories, so that nothing comes in between.
        caller: Who asks, and with which API key.
        user_id: Whose memories.
        memory_key: What the application sends as the user's memory key, where it must.

    Raises:
        ApiError: The API key is revoked, there is no approved access request, or the memory key is not the
            user's.
    """
    granted = services.access_requests.granted_memory_key(
        connection, app_id=caller.app_id, key_id=caller.key_id, account_id=user_id
    )
    if granted is None:
        require_working_key(services, connection, caller)
        raise ApiError(403, "No approved access to this user's memories.", code="access_not_approved")
    if memory_key is not None and memory_key != granted:
        raise ApiError(403, "memoryKey is not the one of this user.", code="memory_key_mismatch")
