"""`client.tags`: a user's tags."""

from __future__ import annotations

import memoram_async as sdk
from memoram_async.core.secret import Unshareable
from memoram_async.core.urls import check_id
from memoram_async.models.belonging import check_belongs
from memoram_async.models.converter import structure
from memoram_async.models.tags import Tag
from memoram_async.transport.requester import Requester


class AsyncTags(Unshareable):
    """Tags, which come into being with the first memory that bears them."""

    def __init__(self, requester: Requester) -> None:
        self._requester = requester

    def list(self, *, user_id: str) -> sdk.AsyncPager[Tag]:
        """A user's tags (contract `listTags`).

        Raises:
            InvalidArgumentError: `user_id` is not an identifier.
        """
        from memoram_async.models.item_pages import structure_page

        user = check_id(user_id, name="user_id")

        async def fetch(cursor: str | None) -> sdk.Page[Tag]:
            response = await self._requester.send(
                "listTags", "GET", "/tags", params={"user_id": user, "cursor": cursor}
            )
            return structure_page(response, "items", Tag, operation="listTags")

        return sdk.AsyncPager(fetch, self._requester.runtime)

    async def get(self, tag_id: str, *, user_id: str) -> Tag:
        """One tag (contract `getTag`).

        Raises:
            InvalidArgumentError: An id is none.
            PermissionDeniedError: The user has not let this application in.
            NotFoundError: There is no such tag.
        """
        response = await self._requester.send(
            "getTag",
            "GET",
            "/tags/{tagId}",
            ids={"tagId": check_id(tag_id, name="tag_id")},
            params={"user_id": check_id(user_id, name="user_id")},
        )
        tag = structure(response, response.json(), Tag, operation="getTag")
        check_belongs(response, tag, operation="getTag", asked={"id": tag_id})
        return tag
