"""From parsed JSON to models: tolerant of what is new, strict about what is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any, TypeVar

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memoram_async.core.errors import APIResponseError
from memoram_async.core.http import HTTPResponse
from memoram_async.core.info import ResponseInfo
from memoram_async.core.secret import Secret
from memoram_async.models.access import AccessCredentials, AccessRequest, AccessStatus
from memoram_async.models.answered import Answered
from memoram_async.models.converter import read_model, reader, structure
from memoram_async.models.developer_token import DeveloperToken
from memoram_async.models.memory import MemoryBlob
from memoram_async.models.tags import Tag
from memoram_async.models.tokens import OAuthTokens

T = TypeVar("T")

MODELS: list[type[attrs.AttrsInstance]] = [
    AccessCredentials,
    AccessRequest,
    DeveloperToken,
    MemoryBlob,
    OAuthTokens,
    Tag,
]
INFO = ResponseInfo(operation="getThing", status=200, request_id="req-1", attempts=2, elapsed=0.5)
ANSWER = HTTPResponse(status=200, headers={"x-request-id": "req-1"}, info=INFO)

BLOB: dict[str, Any] = {
    "id": "mem_1",
    "user_id": "u",
    "content": "eyJ",
    "title": "T",
    "summary": "S",
    "tags": ["a", "b"],
    "tag_ids": ["t1"],
    "importance": 0.5,
    "confidence": 1,
    "source": "chat",
    "created_at": "2026-01-01T12:00:00Z",
    "updated_at": "2026-01-01T12:00:00.5+02:00",
}
REQUEST: dict[str, Any] = {
    "id": "r",
    "status": "pending",
    "reason": "why",
    "memoryKey": "key",
    "user_id": "u",
    "aiConnectorId": "c",
    "createdAt": "2026-01-01T12:00:00Z",
    "updatedAt": "2026-01-01T12:00:00Z",
}


def read(kind: type[T], value: object) -> T:
    return structure(ANSWER, value, kind, operation="getThing")


def plain(model: attrs.AttrsInstance) -> dict[str, object]:
    """What a model has from the wire, secrets revealed, for comparison."""
    ours = {field.name for field in attrs.fields(type(model)) if "ours" in field.metadata}
    return {
        name: value.reveal() if isinstance(value, Secret) else value
        for name, value in attrs.asdict(model, recurse=False).items()
        if name not in ours
    }


# --- every model, as its contract has it -------------------------------------------------------


def test_a_blob_is_read() -> None:
    assert plain(read(MemoryBlob, BLOB)) == {
        **BLOB,
        "tags": ("a", "b"),
        "tag_ids": ("t1",),
        "confidence": 1.0,
        "created_at": datetime(2026, 1, 1, 12, tzinfo=UTC),
        "updated_at": datetime(2026, 1, 1, 12, 0, 0, 500_000, tzinfo=timezone(timedelta(hours=2))),
    }


def test_a_request_is_read_under_our_names() -> None:
    moment = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert plain(read(AccessRequest, REQUEST)) == {
        "id": "r",
        "status": AccessStatus.PENDING,
        "reason": "why",
        "memory_key": "key",
        "user_id": "u",
        "ai_connector_id": "c",
        "created_at": moment,
        "updated_at": moment,
    }


def test_credentials_are_read() -> None:
    value = {"user_id": "u", "memory_key": "k", "encryption_key": "00", "key_version": 3}
    assert plain(read(AccessCredentials, value)) == value


def test_a_developer_token_is_read() -> None:
    value = {"token": "jwt", "expires_at": "2026-01-01T12:00:00Z", "token_type": "Bearer"}
    assert plain(read(DeveloperToken, value)) == value


def test_oauth_tokens_are_read() -> None:
    value = {
        "access_token": "a",
        "token_type": "bearer",
        "expires_in": 3600,
        "refresh_token": "r",
        "memory_key": "k",
    }
    assert plain(read(OAuthTokens, value)) == value


def test_a_tag_is_read() -> None:
    value = {"id": "t", "name": "travel", "description": "d", "color": "#3366FF", "is_enabled": True}
    assert plain(read(Tag, value)) == {**value, "created_at": None, "updated_at": None}


# --- tolerance ---------------------------------------------------------------------------------


def test_unknown_members_are_ignored() -> None:
    assert read(Tag, {"id": "t", "new": {"deep": [1]}, "memoryKey": 7, "_id": None}).id == "t"


@pytest.mark.parametrize("missing", ["absent", "null"])
@pytest.mark.parametrize("kind", MODELS)
def test_optional_members_that_are_missing_are_none(kind: type[attrs.AttrsInstance], missing: str) -> None:
    fields = [field for field in attrs.fields(kind) if field.name != "info"]
    required = {field.name: "text" for field in fields if field.default is attrs.NOTHING}
    nulls = {
        field.metadata.get("wire", field.name): None for field in fields if field.default is not attrs.NOTHING
    }
    model = read(kind, required if missing == "absent" else {**required, **nulls})
    for field in fields:
        if field.default is None:
            assert getattr(model, field.name) is None


@pytest.mark.parametrize("tags", [{}, {"tags": None, "tag_ids": None}, {"tags": [], "tag_ids": []}], ids=repr)
def test_no_tags_are_an_empty_tuple_however_they_are_written(tags: dict[str, object]) -> None:
    blob = read(MemoryBlob, {"id": "m", **tags})
    assert (blob.tags, blob.tag_ids) == ((), ())


@pytest.mark.parametrize("status", ["pending", "approved", "rejected", "revoked"])
def test_a_known_status_is_one_of_ours(status: str) -> None:
    assert read(AccessRequest, {"id": "r", "status": status}).status is AccessStatus(status)


@pytest.mark.parametrize("status", ["escalated", "", "PENDING"])
def test_an_unknown_status_stays_text(status: str) -> None:
    read_status = read(AccessRequest, {"id": "r", "status": status}).status
    assert (type(read_status), read_status) == (str, status)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-01T12:00:00Z", datetime(2026, 1, 1, 12, tzinfo=UTC)),
        ("2026-01-01T14:00:00+02:00", datetime(2026, 1, 1, 12, tzinfo=UTC)),
        ("2026-01-01T12:00:00", datetime(2026, 1, 1, 12, tzinfo=UTC)),
        ("2026-01-01 12:00:00.123456", datetime(2026, 1, 1, 12, 0, 0, 123_456, tzinfo=UTC)),
        ("2026-01-01", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01t12:00:00z", datetime(2026, 1, 1, 12, tzinfo=UTC)),
        ("2026-01-01T12:00:00.123456789Z", datetime(2026, 1, 1, 12, 0, 0, 123_457, tzinfo=UTC)),
        ("2026-01-01T12:00:00-00:00", datetime(2026, 1, 1, 12, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2017, 1, 1, tzinfo=UTC)),
    ],
)
def test_every_time_is_aware(text: str, moment: datetime) -> None:
    created_at = read(Tag, {"id": "t", "created_at": text}).created_at
    assert created_at == moment
    assert created_at is not None
    assert created_at.tzinfo is not None


@pytest.mark.parametrize(
    ("written", "number"),
    [("0.5", 0.5), ("1", 1.0), ("-2e-3", -0.002), (1, 1.0), ("1.50", 1.5)],
    ids=repr,
)
def test_a_number_may_be_written_as_text(written: object, number: float) -> None:
    assert read(MemoryBlob, {**BLOB, "importance": written}).importance == number


@pytest.mark.parametrize("written", ["3", 3.0, "3.0", "3e0"], ids=repr)
def test_so_may_a_whole_number(written: object) -> None:
    value = {"user_id": "u", "memory_key": "k", "encryption_key": "00", "key_version": written}
    version = read(AccessCredentials, value).key_version
    assert (type(version), version) == (int, 3)


@pytest.mark.parametrize(("written", "flag"), [("true", True), ("False", False), (1, True), (0, False)])
def test_so_may_a_flag(written: object, flag: bool) -> None:
    assert read(Tag, {"id": "t", "is_enabled": written}).is_enabled is flag


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("importance", True),
        ("importance", [0.5]),
        ("importance", "much"),
        ("importance", ""),
        ("importance", " 1"),
        ("importance", "1_0"),
        ("importance", "٣"),
        ("importance", "nan"),
        ("importance", "1e999"),
        ("importance", float("inf")),
        ("importance", float("nan")),
        ("importance", 10**400),
        ("created_at", 1_767_268_800),
        ("created_at", "yesterday"),
        ("created_at", ""),
        ("created_at", {"$date": "2026-01-01"}),
        ("created_at", "2026-13-01T00:00:00Z"),
        ("created_at", "9999-12-31T23:59:60Z"),
    ],
    ids=repr,
)
def test_what_only_describes_is_none_where_it_cannot_be_read(member: str, value: object) -> None:
    blob = read(MemoryBlob, {**BLOB, member: value})
    assert (getattr(blob, member), blob.id) == (None, "mem_1")


@pytest.mark.parametrize("value", ["yes", 2, [True], {}, None, 0.5], ids=repr)
def test_so_is_a_flag_that_is_none(value: object) -> None:
    assert read(Tag, {"id": "t", "is_enabled": value}).is_enabled is None


# --- strictness --------------------------------------------------------------------------------


def wrong(kind: type[object], value: object) -> APIResponseError:
    with pytest.raises(APIResponseError) as caught:
        read(kind, value)
    return caught.value


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("value", [None, [], "text", 7, 0.5, True, [["id", "x"]], {}], ids=repr)
def test_what_is_no_object_of_its_kind_is_an_error(kind: type[object], value: object) -> None:
    wrong(kind, value)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("id", None),
        ("id", 7),
        ("id", True),
        ("id", ["mem_1"]),
        ("user_id", 7),
        ("content", {"ciphertext": "x"}),
        ("title", 7),
        ("title", ["T"]),
        ("tags", "a,b"),
        ("tags", {"a": 1}),
        ("tags", [1]),
        ("tags", [None]),
        ("tags", [["a"]]),
        ("tags", 0),
    ],
    ids=repr,
)
def test_a_blob_of_another_shape_is_an_error(member: str, value: object) -> None:
    wrong(MemoryBlob, {**BLOB, member: value})


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (AccessRequest, {**REQUEST, "status": None}),
        (AccessRequest, {**REQUEST, "status": 1}),
        (AccessRequest, {**REQUEST, "memoryKey": 7}),
        (AccessCredentials, {"user_id": "u", "memory_key": "k", "encryption_key": None}),
        (AccessCredentials, {"user_id": "u", "memory_key": "k", "encryption_key": "0", "key_version": "one"}),
        (AccessCredentials, {"user_id": "u", "memory_key": "k", "encryption_key": "0", "key_version": 1.5}),
        (AccessCredentials, {"user_id": "u", "memory_key": "k", "encryption_key": "0", "key_version": 1e300}),
        (AccessCredentials, {"user_id": "u", "memory_key": "k", "encryption_key": "0", "key_version": True}),
        (DeveloperToken, {"token": ["jwt"]}),
        (OAuthTokens, {"access_token": "a", "expires_in": "soon"}),
    ],
    ids=repr,
)
def test_what_decides_is_not_guessed(kind: type[object], value: object) -> None:
    wrong(kind, value)


def test_our_own_names_are_not_the_wires() -> None:
    assert read(AccessRequest, {"id": "r", "status": "pending", "memory_key": "k"}).memory_key is None


def test_the_error_says_where_and_what_to_check() -> None:
    error = wrong(Tag, {})
    assert str(error).startswith("getThing: the service's answer has another shape than its contract")
    assert (error.status, error.request_id) == (200, "req-1")


# --- how the call went -------------------------------------------------------------------------

ANSWERED = [kind for kind in MODELS if issubclass(kind, Answered)]


@pytest.mark.parametrize("kind", ANSWERED)
def test_a_model_knows_how_the_call_went_that_brought_it(kind: type[Answered]) -> None:
    required = {field.name: "text" for field in attrs.fields(kind) if field.default is attrs.NOTHING}
    assert read(kind, required).info is INFO


def test_a_member_of_that_name_is_the_services_own_affair() -> None:
    assert read(Tag, {"id": "t", "info": {"attempts": 99}}).info is INFO


def test_it_is_not_part_of_what_a_model_shows_or_equals() -> None:
    tag = read(Tag, {"id": "t"})
    assert tag == Tag(id="t")
    assert "getThing" not in repr(tag)


def test_an_error_of_shape_knows_it_too() -> None:
    assert wrong(Tag, {}).info is INFO


# --- whatever comes ----------------------------------------------------------------------------

NAMES = sorted({field.metadata.get("wire", field.name) for kind in MODELS for field in attrs.fields(kind)})
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["pending", "2026-01-01T12:00:00Z"])
)
JSON: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(NAMES), inner)
)


@given(kind=st.sampled_from(MODELS), value=JSON)
def test_any_json_is_a_model_or_an_error_of_its_own_kind(kind: type[object], value: object) -> None:
    try:
        model = read(kind, value)
    except APIResponseError:
        return
    assert type(model) is kind


@given(st.fixed_dictionaries(dict.fromkeys(NAMES, SCALARS)))
def test_a_model_has_only_what_its_types_say(value: dict[str, object]) -> None:
    """A scalar of each kind may meet a member of each kind."""
    try:
        blob = read(MemoryBlob, {**value, "tags": None, "tag_ids": None, "id": "m"})
    except APIResponseError:
        return
    assert isinstance(blob.title, str | None)
    assert isinstance(blob.importance, float | None)
    assert isinstance(blob.created_at, datetime | None)


def test_a_word_that_may_be_missing_is_none_then() -> None:
    @attrs.frozen
    class Decision:
        status: AccessStatus | str | None

    found = [reader(Decision)({"status": status}).status for status in ("pending", "new", None)]
    assert found == [AccessStatus.PENDING, "new", None]


@pytest.mark.parametrize("kind", [list[str], int | float, str | Secret | None, None, "Tag"])
def test_a_type_that_no_model_has_is_refused_before_anything_is_read(kind: Any) -> None:
    with pytest.raises(TypeError, match="models have no members of type"):
        read_model({}, kind)
