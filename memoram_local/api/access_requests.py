"""`/access-requests`: asking users for access, and what they grant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memoram_local.api import cursors
from memoram_local.api.answers import ApiError, conditional_answer, etag_of, json_answer, json_octets, matches
from memoram_local.api.bearer import calling_app, require_working_key
from memoram_local.api.idempotency import Once
from memoram_local.api.members import Query, read_body
from memoram_local.api.waiting import applied, wait_until, wished_seconds
from memoram_local.behaviour import behaviour
from memoram_local.clock import iso
from memoram_local.controls.decisions import SETTLE
from memoram_local.errors import NotFoundError
from memoram_local.http.routing import API_PATH, resource
from memoram_local.store.asking import refusal_to_ask

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from memoram_local.services.developer_tokens import Caller
    from memoram_local.services.services import Services
    from memoram_local.store.access_requests import AccessRequest

_REASON_LENGTH = 255
_MEMORY_KEY_LENGTH = 200


class AccessRequestsApi:
    """Answers for access requests."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._once = Once(services)

    def routes(self) -> list[Route]:
        """The routes of this resource."""
        return [
            resource(API_PATH + "/access-requests", get=self.list_all, post=self.create),
            resource(API_PATH + "/access-requests/{request_id}", get=self.get),
            resource(API_PATH + "/access-requests/{request_id}/credentials", get=self.credentials),
        ]

    @behaviour("create-access-request.status", "documented", "A new request is pending.")
    @behaviour(
        "create-access-request.memory-key",
        "documented",
        "The memory key may come from the user's dashboard or from the OAuth answer.",
    )
    @behaviour("create-access-request.reason", "documented", "A reason has at most 255 characters.")
    @behaviour(
        "create-access-request.reason-characters",
        "invented",
        "All characters of a reason can be seen: no control characters, none that change the writing "
        "direction, none without a width.",
    )
    @behaviour("create-access-request.unknown-key", "documented", "An unknown memory key gives 404.")
    async def create(self, request: Request) -> Response:
        """Contract operation createAccessRequest."""
        caller = calling_app(request, self._services.tokens)
        body = await read_body(request)
        memory_key = body.text("memoryKey", longest=_MEMORY_KEY_LENGTH)
        reason = body.visible_text("reason", longest=_REASON_LENGTH)
        services = self._services

        def allow(connection: Connection) -> None:
            require_working_key(services, connection, caller)

        def ask(connection: Connection) -> dict[str, object]:
            account = services.accounts.by_memory_key(connection, memory_key)
            if account is None:
                raise ApiError(404, "No user has this memoryKey.")
            # It is there for people: a policy that decides in their place is not worn down.
            if SETTLE not in request.scope:
                self._check_asking(connection, caller.app_id, account.id)
            return _on_the_wire(
                services.access_requests.create(
                    connection, app_id=caller.app_id, account=account, reason=reason
                )
            )

        def again(connection: Connection, request_id: str) -> dict[str, object] | None:
            try:
                found = services.access_requests.get(connection, request_id, app_id=caller.app_id)
            except NotFoundError:
                return None
            return _on_the_wire(found)

        return await self._once.answer(
            request, app_id=caller.app_id, act=ask, again=again, status=201, allow=allow
        )

    @behaviour(
        "list-access-requests.paging",
        "invented",
        "A page has at most 500 requests; where more follow, next_cursor leads to them by `cursor`. total "
        "counts those of all pages.",
    )
    @behaviour(
        "list-access-requests.wait",
        "invented",
        "With `Prefer: wait` and If-None-Match the list comes as soon as it differs; without If-None-Match "
        "there is nothing to wait for, and the preference is not applied.",
    )
    @behaviour(
        "list-access-requests.account",
        "invented",
        "An application's own requests are listed; with `list_whole_account=True`, and `serve "
        "--list-whole-account`, those of all applications of its developer, as the contract says.",
    )
    async def list_all(self, request: Request) -> Response:
        """Contract operation listAccessRequests."""
        caller = calling_app(request, self._services.tokens)
        services = self._services
        cursor = Query(request).text("cursor")
        before = None if cursor is None else cursors.read_moment(cursor)

        def find(connection: Connection) -> dict[str, object]:
            require_working_key(services, connection, caller)
            whose = [caller.app_id]
            if services.lists_whole_account:
                whose = services.apps.of_same_developer(connection, caller.app_id)
            found, more, total = services.access_requests.page(
                connection, whose, limit=services.limits.requests_listed, before=before
            )
            page: dict[str, object] = {"items": [_on_the_wire(item) for item in found], "total": total}
            # No cursor is documented: a list of one page looks as it is documented.
            return page if more is None else {**page, "next_cursor": cursors.write_moment(more)}

        async def read() -> dict[str, object]:
            return await services.database.read(find)

        seconds = wished_seconds(request) if "if-none-match" in request.headers else None
        return await self._perhaps_later(
            request,
            read,
            app_id=caller.app_id,
            seconds=seconds,
            is_news=lambda content: _differs(request, content),
        )

    @behaviour(
        "get-access-request.wait",
        "invented",
        "With `Prefer: wait` the answer comes once the request is no longer pending or, with If-None-Match, "
        "once it differs; when the time is over it is what stands.",
    )
    async def get(self, request: Request) -> Response:
        """Contract operation getAccessRequest."""
        caller = calling_app(request, self._services.tokens)
        request_id: str = request.path_params["request_id"]

        def find(connection: Connection) -> dict[str, object]:
            return _on_the_wire(self._find(connection, request_id, caller))

        async def read() -> dict[str, object]:
            return await self._services.database.look_up(find)

        def is_news(content: dict[str, object]) -> bool:
            if "if-none-match" in request.headers:
                return _differs(request, content)
            return content["status"] != "pending"

        return await self._perhaps_later(
            request, read, app_id=caller.app_id, seconds=wished_seconds(request), is_news=is_news
        )

    @behaviour("get-credentials.unapproved", "documented", "Pending, rejected and revoked are met with 403.")
    @behaviour(
        "get-credentials.key-version",
        "invented",
        "The newest encryption key comes with its version; `key_version=N` asks for an older one, and gives "
        "404 where there never was one.",
    )
    async def credentials(self, request: Request) -> Response:
        """Contract operation getAccessCredentials."""
        caller = calling_app(request, self._services.tokens)
        request_id: str = request.path_params["request_id"]
        version = Query(request).optional_count("key_version")
        services = self._services

        def open_up(connection: Connection) -> dict[str, object]:
            found = self._find(connection, request_id, caller)
            if found.status != "approved":
                raise ApiError(
                    403,
                    f"The access request is {found.status}, not approved.",
                    code=f"access_{found.status}",
                )
            account = services.accounts.by_id(connection, found.user_id)
            assert account is not None  # noqa: S101 - a foreign key leads there
            key = services.accounts.encryption_key(connection, account.id, version)
            if key is None:
                raise ApiError(404, f"This user has no encryption key of version {version}.")
            services.activity.will_be_done(connection, "key", account_id=account.id, app_id=caller.app_id)
            return {
                "user_id": account.id,
                "memory_key": account.memory_key,
                "encryption_key": key.key,
                "key_version": key.version,
            }

        return json_answer(await services.database.look_up(open_up))

    def _check_asking(self, connection: Connection, app_id: str, account_id: str) -> None:
        services = self._services
        refused = refusal_to_ask(
            connection, app_id=app_id, account_id=account_id, clock=services.clock, limits=services.limits
        )
        if refused is None:
            return
        if refused.until is None:
            raise ApiError(
                409, "Too many requests of this application wait for the user already.", code=refused.code
            )
        until = iso(refused.until)
        message = f"The user said no: this application may ask again from {until} on."
        raise ApiError(409, message, code=refused.code, details={"until": until})

    async def _perhaps_later(
        self,
        request: Request,
        read: Callable[[], Awaitable[dict[str, object]]],
        *,
        app_id: str,
        seconds: int | None,
        is_news: Callable[[dict[str, object]], bool],
    ) -> Response:
        if seconds is None:
            return conditional_answer(request, await read())
        latest: dict[str, object] = {}

        async def read_news() -> bool:
            nonlocal latest
            latest = await read()
            return is_news(latest)

        await wait_until(read_news, request=request, services=self._services, topic=app_id, seconds=seconds)
        return conditional_answer(request, latest, headers=applied(seconds))

    @behaviour("access-requests.foreign", "inferred", "Another application's request does not exist: 404.")
    def _find(self, connection: Connection, request_id: str, caller: Caller) -> AccessRequest:
        require_working_key(self._services, connection, caller)
        try:
            return self._services.access_requests.get(connection, request_id, app_id=caller.app_id)
        except NotFoundError as error:
            raise ApiError(404, "There is no such access request.") from error


def _differs(request: Request, content: object) -> bool:
    return not matches(request, etag_of(json_octets(content)))


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
