# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false
# The calls of its tables are lambdas on clients of three worlds, whose types they cannot name.
"""Each error code of the contract is a type, and says what to do."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from memoram_async import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
    RateLimitedError,
    ServerError,
    memory_api,
)
from memoram_async.memory_api.refusals import SCOPES
from memoram_local.contract.document import MEMORY_API_FILE, read_document
from tests.memory_api.answers import MEMORY, good, refused
from tests.worlds import Service, Time, failure

if TYPE_CHECKING:
    from tests.worlds import World

pytestmark = pytest.mark.anyio

CODES = [
    (400, "VALIDATION_ERROR", "ValidationError", BadRequestError),
    (400, "CONFIRMATION_REQUIRED", "ConfirmationRequiredError", BadRequestError),
    (401, "MISSING_API_KEY", "MissingAPIKeyError", AuthenticationError),
    (401, "INVALID_API_KEY", "InvalidAPIKeyError", AuthenticationError),
    (401, "INVALID_API_KEY_FORMAT", "MalformedAPIKeyError", AuthenticationError),
    (401, "API_KEY_EXPIRED", "ExpiredAPIKeyError", AuthenticationError),
    (401, "API_KEY_DISABLED", "DisabledAPIKeyError", AuthenticationError),
    (403, "INSUFFICIENT_PERMISSIONS", "InsufficientScopeError", PermissionDeniedError),
    (403, "ORGANIZATION_DISABLED", "OrganizationDisabledError", PermissionDeniedError),
    (404, "MEMORY_NOT_FOUND", "MemoryNotFoundError", NotFoundError),
    (404, "API_KEY_NOT_FOUND", "APIKeyNotFoundError", NotFoundError),
    (404, "ORGANIZATION_NOT_FOUND", "OrganizationNotFoundError", NotFoundError),
    (409, "MEMORY_ID_EXISTS", "MemoryIDExistsError", ConflictError),
    (429, "RATE_LIMIT_EXCEEDED", "RateLimitExceededError", RateLimitedError),
    (429, "DAILY_QUOTA_EXCEEDED", "DailyQuotaExceededError", RateLimitedError),
    (429, "CONCURRENT_LIMIT_EXCEEDED", "ConcurrentLimitExceededError", RateLimitedError),
    (500, "EXTRACTION_FAILED", "ExtractionFailedError", ServerError),
    (500, "INTERNAL_ERROR", None, ServerError),
    (401, "SOMETHING_NEW", None, AuthenticationError),
    (403, "SOMETHING_NEW", None, PermissionDeniedError),
    (418, "SOMETHING_NEW", None, APIStatusError),
]


@pytest.mark.parametrize(("status", "code", "name", "base"), CODES)
async def test_a_code_is_a_type_of_its_own(
    world: World, status: int, code: str, name: str | None, base: type[APIStatusError]
) -> None:
    service = Service.answering(refused(status, code, headers={"x-request-id": "req_9"}))
    async with world.memory_api(service, max_retries=0) as api:
        error = await failure(api.memories.get("mem_1"), APIStatusError)

    assert type(error) is (base if name is None else getattr(memory_api, name))
    assert isinstance(error, base)
    assert (error.status, error.code, error.request_id) == (status, code, "req_9")
    assert "getMemory: " in str(error)
    assert "approve" not in str(error)
    assert error.info is not None
    assert error.info.request_id == "req_9"
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert (type(copy), str(copy), copy.code) == (type(error), str(error), code)


@pytest.mark.parametrize("said", [{}, {"required_scope": "write"}, {"required_scope": "mem_live_secret"}])
async def test_the_scope_that_is_missing_is_named(world: World, said: dict[str, Any]) -> None:
    service = Service.answering(refused(403, "INSUFFICIENT_PERMISSIONS", **said))
    async with world.memory_api(service) as api:
        error = await failure(api.memories.create("a"), memory_api.InsufficientScopeError)

    assert error.scope == "write"
    assert "'write'" in str(error)


async def test_a_scope_that_nobody_knows_is_not_made_up(world: World) -> None:
    service = Service.answering(refused(403, "INSUFFICIENT_PERMISSIONS"))
    async with world.memory_api(service) as api:
        error = await failure(api.request("GET", "/new"), memory_api.InsufficientScopeError)

    assert error.scope is None


def test_every_operation_that_needs_a_scope_has_one() -> None:
    stated = {
        operation["operationId"]: operation["x-scope"]
        for path in read_document(MEMORY_API_FILE)["paths"].values()
        for operation in path.values()
        if "x-scope" in operation
    }
    assert stated == SCOPES


async def test_the_fields_that_are_wrong_are_named_and_nothing_else(world: World) -> None:
    errors = [{"field": "text", "message": "no"}, {"field": "mem_live_secret"}, "odd", {"field": "metadata"}]
    service = Service.answering(refused(400, "VALIDATION_ERROR", field="text", errors=errors))
    async with world.memory_api(service) as api:
        error = await failure(api.memories.create("a"), memory_api.ValidationError)

    assert error.fields == ("text", "metadata")
    assert "text, metadata" in str(error)
    assert "secret" not in f"{error} {vars(error)}"


@pytest.mark.parametrize("details", [{"errors": "x"}, {"field": 5}, {}])
async def test_odd_details_are_passed_over(world: World, details: dict[str, Any]) -> None:
    service = Service.answering(refused(400, "VALIDATION_ERROR", **details))
    async with world.memory_api(service) as api:
        error = await failure(api.memories.create("a"), memory_api.ValidationError)

    assert error.fields == ()


async def test_a_key_that_is_refused_is_not_sent_again(world: World) -> None:
    service = Service.answering(refused(401, "INVALID_API_KEY"))
    async with world.memory_api(service) as api:
        await failure(api.account.get(), memory_api.InvalidAPIKeyError)

    assert len(service.requests) == 1


async def test_a_limit_is_waited_for(world: World) -> None:
    time = Time()
    limited = refused(429, "RATE_LIMIT_EXCEEDED", headers={"retry-after": "7"})
    async with world.memory_api(Service.answering(limited, good(MEMORY)), time=time) as api:
        await api.memories.create("a")

    assert time.slept == [7.0]


async def test_without_retry_after_the_reset_is_waited_for(world: World) -> None:
    time = Time()
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(time.epoch) + 9)}
    limited = refused(429, "RATE_LIMIT_EXCEEDED", headers=headers)
    async with world.memory_api(Service.answering(limited, good(MEMORY)), time=time) as api:
        await api.memories.create("a")

    assert time.slept == [9.0]


async def test_a_quota_that_takes_hours_is_an_error_that_says_how_long(world: World) -> None:
    limited = refused(429, "DAILY_QUOTA_EXCEEDED", headers={"retry-after": "43200"})
    service = Service.answering(limited)
    async with world.memory_api(service) as api:
        error = await failure(api.memories.create("a"), memory_api.DailyQuotaExceededError)

    assert error.retry_after == 43200
    assert len(service.requests) == 1


@pytest.mark.parametrize(
    ("call", "sent"),
    [
        (lambda api: api.memories.create("a"), 1),
        (lambda api: api.memories.update("mem_1", text="a"), 1),
        (lambda api: api.memories.delete("mem_1"), 1),
        (lambda api: api.account.api_keys.revoke("key_1"), 1),
        (lambda api: api.extract("a b c"), 1),
        (lambda api: api.signup(name="a", email="a@b.c"), 1),
    ],
)
async def test_a_write_whose_answer_was_lost_is_not_sent_again(world: World, call: Any, sent: int) -> None:
    service = Service.answering(httpx.ReadError("gone"))
    async with world.memory_api(service) as api:
        await failure(call(api), OutcomeUnknownError)

    assert len(service.requests) == sent


@pytest.mark.parametrize(
    "call", [lambda api: api.query("a"), lambda api: api.query_answer("a"), lambda api: api.usage.get()]
)
async def test_what_only_reads_is_sent_again(world: World, call: Any) -> None:
    data = {"memories": [], "answer": "a"}
    service = Service.answering(httpx.ReadError("gone"), good(data))
    async with world.memory_api(service) as api:
        await call(api)

    assert len(service.requests) == 2
