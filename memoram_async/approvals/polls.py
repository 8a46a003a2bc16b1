"""The calls that waiting is made of: a look at one request, and a page of the list."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import attrs

from memoram_async.core import approval_calls
from memoram_async.core.approval_calls import seconds_of
from memoram_async.core.approval_page import ListPage, read_list_page
from memoram_async.core.deadline import Deadline
from memoram_async.core.http import HTTPResponse
from memoram_async.core.urls import expand
from memoram_async.models.access import AccessRequest
from memoram_async.models.converter import read_model, shape_error, structure
from memoram_async.transport.call import Call, Credentials
from memoram_async.transport.transport import Transport

_NOT_MODIFIED = 304


@attrs.frozen(kw_only=True)
class Seen:
    """What a look brought.

    Attributes:
        request: The request; None if it is the version that was seen before.
        etag: Its version, if the service names versions.
        applied: Whether the service granted a long poll.
    """

    request: AccessRequest | None
    etag: str | None
    applied: bool


class ApprovalPolls:
    """Makes the calls: each is sent once, because the schedule decides about everything that comes after."""

    def __init__(self, transport: Transport, base_url: str, credentials: Credentials) -> None:
        """The calls of a client family.

        Args:
            transport: One without retries.
            base_url: The API's address.
            credentials: The family's.
        """
        self._transport = transport
        self._base_url = base_url
        self._credentials = credentials

    async def look(self, look: approval_calls.Look, deadline: Deadline) -> Seen:
        """Read one request (contract `getAccessRequest`).

        Raises:
            MemoramError: It could not be read.
        """
        operation, template = "getAccessRequest", "/access-requests/{requestId}"
        path = expand(template, requestId=look.entry.id)
        response = await self._send(operation, path, template, look, look.entry.etag, deadline, params={})
        request = None
        if response.status != _NOT_MODIFIED:
            request = structure(response, response.json(), AccessRequest, operation=operation)
        return Seen(request=request, etag=_etag(response), applied=_applied(response))

    async def page(self, page: approval_calls.ReadPage, deadline: Deadline) -> ListPage:
        """Read one page of the list (contract `listAccessRequests`).

        Raises:
            MemoramError: It could not be read.
        """
        operation, path = "listAccessRequests", "/access-requests"
        params = {} if page.cursor is None else {"cursor": page.cursor}
        response = await self._send(operation, path, path, page, page.etag, deadline, params=params)
        if response.status == _NOT_MODIFIED:
            return ListPage(applied=_applied(response), not_modified=True)
        # Reading a list of thousands takes many times as long as knowing it again.
        digest = hashlib.sha256(response.content).digest()
        if digest == page.digest:
            return ListPage(applied=_applied(response), not_modified=True)
        return read_page(response, operation=operation, digest=digest)

    async def _send(
        self,
        operation: str,
        path: str,
        template: str,
        call: approval_calls.Call,
        etag: str | None,
        deadline: Deadline,
        *,
        params: Mapping[str, object],
    ) -> HTTPResponse:
        headers: dict[str, str] = {}
        if etag is not None:
            headers["if-none-match"] = etag
        if call.wait is not None:
            headers["prefer"] = f"wait={call.wait}"
        return await self._transport.call(
            Call(
                operation=operation,
                method="GET",
                url=self._base_url + path,
                template=template,
                params=params,
                headers=headers,
                request_timeout=seconds_of(call),
                credentials=self._credentials,
            ),
            deadline=deadline,
        )

    def read(self, item: Any) -> AccessRequest | None:
        """A request from an item of the list; None if it cannot be read."""
        return read_model(item, AccessRequest)

    def digest(self, memory_key: str) -> bytes:
        """What is kept of a memory key, to know it again."""
        return owner_digest(memory_key)


def owner_digest(memory_key: str) -> bytes:
    """What is kept of a memory key, to know it again."""
    return hashlib.sha256(memory_key.encode(errors="surrogatepass")).digest()


def read_page(response: HTTPResponse, *, operation: str, digest: bytes | None = None) -> ListPage:
    """A page of the list, without the items that cannot be read.

    Args:
        response: The answer.
        operation: What was asked, for the message.
        digest: What its content comes to, if somebody will want to know it again.

    Raises:
        APIResponseError: It is no list at all.
    """
    page = read_list_page(
        response.json(),
        octets=len(response.content),
        etag=_etag(response),
        applied=_applied(response),
        digest=digest,
    )
    if page is None:
        raise shape_error(response, operation=operation)
    return page


def _etag(response: HTTPResponse) -> str | None:
    return response.headers.get("etag") or None


def _applied(response: HTTPResponse) -> bool:
    return "wait" in response.headers.get("preference-applied", "").lower()
