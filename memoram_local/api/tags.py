"""`/tags`: the names that a user's memories are filed under."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memoram_local.api import cursors
from memoram_local.api.answers import ApiError, conditional_answer
from memoram_local.api.bearer import calling_app
from memoram_local.api.grant import require_grant
from memoram_local.api.members import Query
from memoram_local.behaviour import behaviour
from memoram_local.clock import iso
from memoram_local.http.routing import API_PATH, resource

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from memoram_local.services.services import Services
    from memoram_local.store.tags import Tag


class TagsApi:
    """Answers for tags."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def routes(self) -> list[Route]:
        """The routes of this resource."""
        return [
            resource(API_PATH + "/tags", get=self.list_all),
            resource(API_PATH + "/tags/{tag_id}", get=self.get),
        ]

    @behaviour(
        "list-tags.paging",
        "invented",
        "A page has at most 500 tags; where more follow, next_cursor leads to them by `cursor`.",
    )
    async def list_all(self, request: Request) -> Response:
        """Contract operation listTags."""
        caller = calling_app(request, self._services.tokens)
        query = Query(request)
        user_id, cursor = query.user_id(), query.text("cursor")
        after_id = None if cursor is None else cursors.read_tag(cursor)
        services = self._services

        def find(connection: Connection) -> tuple[list[Tag], bool]:
            require_grant(services, connection, caller=caller, user_id=user_id)
            after: Tag | None = None
            if after_id is not None:
                after = services.tags.get(connection, account_id=user_id, tag_id=after_id)
                if after is None:
                    raise cursors.refused()
            limit = services.limits.tags_listed
            name = None if after is None else after.name
            return services.tags.page(connection, user_id, limit=limit, after=name)

        tags, is_more = await services.database.look_up(find)
        services.activity.done("tags", account_id=user_id, app_id=caller.app_id)
        page: dict[str, object] = {"items": [_on_the_wire(tag) for tag in tags]}
        if is_more:
            page["next_cursor"] = cursors.write_tag(tags[-1].id)
        return conditional_answer(request, page)

    async def get(self, request: Request) -> Response:
        """Contract operation getTag."""
        caller = calling_app(request, self._services.tokens)
        user_id = Query(request).user_id()
        tag_id: str = request.path_params["tag_id"]
        services = self._services

        def find(connection: Connection) -> Tag | None:
            require_grant(services, connection, caller=caller, user_id=user_id)
            return services.tags.get(connection, account_id=user_id, tag_id=tag_id)

        tag = await services.database.look_up(find)
        if tag is None:
            raise ApiError(404, "There is no such tag.")
        services.activity.done("tags", account_id=user_id, app_id=caller.app_id)
        return conditional_answer(request, _on_the_wire(tag))


def _on_the_wire(tag: Tag) -> dict[str, object]:
    return {
        "id": tag.id,
        "name": tag.name,
        "description": tag.description,
        "color": tag.color,
        "is_enabled": tag.is_enabled,
        "created_at": iso(tag.created_at),
        "updated_at": iso(tag.updated_at),
    }
