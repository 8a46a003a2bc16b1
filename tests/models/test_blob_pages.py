"""Pages of memories: the same values and errors whatever reads them."""

from __future__ import annotations

import importlib.util
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memoram_async.core.errors import APIResponseError
from memoram_async.core.http import HTTPResponse
from memoram_async.models import blob_pages, blob_pages_fast
from memoram_async.models.blob_pages import read_blob_page
from memoram_async.models.drafts import WIRE_MEMBERS, BlobDraft, MemoryDraft
from memoram_async.models.memory import MemoryBlob

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

USER = "8c1f7c1e-6f0a-4f0e-9b7e-3f6f3f1f2a10"
BLOB: dict[str, Any] = {
    "id": "mem_1",
    "user_id": USER,
    "content": "ey..",
    "title": "T",
    "summary": None,
    "tags": ["a", "b"],
    "tag_ids": [],
    "importance": 0.5,
    "confidence": 1,
    "source": "chat",
    "created_at": "2026-01-01T12:00:00Z",
    "updated_at": "2026-01-01T12:00:00.5+02:00",
}


def answer(*blobs: object, **members: object) -> HTTPResponse:
    body = {"memoryBlobs": list(blobs), **members}
    return HTTPResponse(status=200, headers={"x-request-id": "req-1"}, content=json.dumps(body).encode())


def read(response: HTTPResponse) -> tuple[Any, ...]:
    return read_blob_page(response, BlobDraft, user_id=USER).items


def one(**members: object) -> Any:
    (blob,) = read(answer({**BLOB, **members}))
    return blob


def test_what_is_read_is_a_frozen_model() -> None:
    blob = one()
    assert type(blob) is MemoryBlob
    with pytest.raises(AttributeError):
        setattr(blob, "id", "another")  # noqa: B010 - type checkers refuse to write it plainly
    assert (blob.tags, blob.tag_ids, blob.confidence, blob.info, blob.error) == (
        ("a", "b"),
        (),
        1.0,
        None,
        None,
    )


def test_only_the_id_is_needed() -> None:
    (blob,) = read(answer({"id": "mem_1"}))
    assert [getattr(blob, name) for name in WIRE_MEMBERS] == ["mem_1", *[None] * 4, (), (), *[None] * 5]


@pytest.mark.parametrize("name", ["info", "error", "provenance", "_content", "_provenance", "key_version"])
def test_members_of_our_own_are_not_the_wires(name: str) -> None:
    blob = one(**{name: {"attempts": 7}})
    assert (blob.info, blob.error) == (None, None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", 5),
        ("id", None),
        ("content", 5),
        ("title", ["T"]),
        ("tags", "a"),
        ("tags", [1]),
        ("tag_ids", {}),
    ],
)
def test_an_odd_member_is_an_error_of_its_item_alone(name: str, value: object) -> None:
    odd, sound = read(answer({**BLOB, name: value}, {**BLOB, "id": "mem_2"}))
    assert isinstance(odd.error, APIResponseError)
    assert name in str(odd.error)
    assert (odd.error.status, odd.error.request_id) == (200, "req-1")
    assert odd.source == "chat"
    assert (sound.id, sound.error) == ("mem_2", None)


@pytest.mark.parametrize("name", ["importance", "confidence", "created_at"])
def test_what_only_describes_is_none_where_it_cannot_be_read(name: str) -> None:
    blob = one(**{name: "?"})
    assert (getattr(blob, name), blob.error) == (None, None)


def test_an_item_that_is_odd_shows_no_odd_id() -> None:
    (blob,) = read(answer({"id": "Bearer eyJ.x.y", "tags": "?"}))
    assert blob.id == ""


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"memoryBlobs":{}}', b'{"memoryBlobs":[1]}'])
def test_what_is_no_page_is_an_error(body: bytes) -> None:
    with pytest.raises(APIResponseError):
        read(HTTPResponse(status=200, headers={}, content=body))


def test_of_another_users_memory_nothing_is_left_but_its_id() -> None:
    foreign, sound = read(answer({**BLOB, "user_id": "another"}, BLOB))
    assert isinstance(foreign.error, APIResponseError)
    assert [getattr(foreign, name) for name in WIRE_MEMBERS if name != "id"] == [
        *[None] * 4,
        (),
        (),
        *[None] * 5,
    ]
    assert (foreign.id, sound.error) == ("mem_1", None)


def test_a_user_id_may_be_spelled_in_capitals() -> None:
    assert one(user_id=USER.upper()).error is None


def test_a_draft_of_a_memory_is_no_memory_yet() -> None:
    (draft,) = read_blob_page(answer(BLOB), MemoryDraft, user_id=USER).items
    assert isinstance(draft, MemoryDraft)
    assert draft.content == BLOB["content"]


# --- the same in both ways ---------------------------------------------------------------------


ODD_TEXTS = st.one_of(
    st.text(),
    st.sampled_from(
        [
            "2026-01-01T12:00:00",
            "2026-01-01T12:00:00.1234567Z",
            "2026-01-01t12:00:00z",
            "2016-12-31T23:59:60Z",
            "2026-01-01T12:00:00.9999995+01:30",
            "9999-12-31T23:59:59.9999999Z",
            "2026-W01-1",
            "0.5",
            "1e999",
            "\ud800",
            USER.upper(),
        ]
    ),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=10**18, max_value=10**400),
    st.floats(allow_nan=False, allow_infinity=False),
    ODD_TEXTS,
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
ITEMS = st.dictionaries(
    st.sampled_from([*WIRE_MEMBERS, "info", "error", "key_version", "unknown"]), VALUES, max_size=8
).map(lambda changes: {**BLOB, **changes})
BODIES = st.fixed_dictionaries(
    {"memoryBlobs": st.lists(ITEMS, max_size=3)},
    optional={"next_cursor": VALUES, "total": VALUES, "more": VALUES},
)
BROKEN = st.tuples(
    st.integers(0, 400), st.sampled_from([b"\xff", b"\xed\xa0\x80", b"\n", b"\\", b'"', b"01", b",", b""])
)


def nothing(content: bytes, kind: type[BlobDraft], *, user_id: str) -> None:
    """What a machine without the fast packages reads quickly."""


def fast_way() -> ModuleType:
    """The fast way in a process that has read nothing yet."""
    specification = importlib.util.spec_from_file_location("another_fast_way", blob_pages_fast.__file__)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def experienced_way() -> ModuleType:
    """The fast way in a process that has met members which the contract does not have."""
    module = fast_way()
    module.read_quickly(answer({**BLOB, "more": 1}).content, BlobDraft, user_id=USER)
    return module


def outcome(response: HTTPResponse, read_quickly: Callable[..., Any]) -> object:
    """Everything that reading a page yields, in a form that can be compared."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blob_pages, "read_quickly", read_quickly)
        try:
            page = read_blob_page(response, BlobDraft, user_id=USER)
        except APIResponseError as error:
            return type(error), str(error)
    items = [
        [(name, repr(getattr(blob, name))) for name in (*WIRE_MEMBERS, "info", "error")]
        for blob in page.items
    ]
    return items, page.next_cursor, page.total, {type(blob) for blob in page.items}


def check_all_ways(content: bytes) -> None:
    response = HTTPResponse(status=200, headers={}, content=content)
    expected = outcome(response, nothing)
    assert outcome(response, fast_way().read_quickly) == expected
    assert outcome(response, experienced_way().read_quickly) == expected


@given(body=BODIES, ascii_only=st.booleans())
def test_odd_json_reads_the_same_with_and_without_msgspec(body: dict[str, Any], ascii_only: bool) -> None:
    check_all_ways(json.dumps(body, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass"))


@given(body=BODIES, broken=BROKEN)
def test_broken_json_reads_the_same_with_and_without_msgspec(
    body: dict[str, Any], broken: tuple[int, bytes]
) -> None:
    content = json.dumps(body).encode()
    place, piece = broken
    check_all_ways(content[:place] + piece + content[place + len(piece) :])


@pytest.mark.parametrize("octet", [b"x", b"\xc3\xa4", b"\xff", b"\xed\xa0\x80"])
@pytest.mark.parametrize("part", [b'"~":1', b'"more":"~"', b'"more":{"~":["~"]}'])
@pytest.mark.parametrize("place", [b'"id"', b'"memoryBlobs"'])
def test_what_nobody_reads_must_be_utf8_whatever_reads_the_rest(
    octet: bytes, part: bytes, place: bytes
) -> None:
    content = answer(BLOB).content.replace(place, part.replace(b"~", octet) + b"," + place)
    check_all_ways(content)


@pytest.mark.parametrize("way", [fast_way, experienced_way])
@pytest.mark.parametrize("kind", [BlobDraft, MemoryDraft])
def test_the_fast_way_reads_pages_itself_with_unknown_members_too(
    way: Callable[[], ModuleType], kind: type[BlobDraft]
) -> None:
    pytest.importorskip("msgspec")
    read_quickly = way().read_quickly
    for response in (
        answer(BLOB, BLOB),
        answer({**BLOB, "more": 1}, next_cursor="c"),
        answer(BLOB, more="\xe4"),
        answer(),
    ):
        assert read_quickly(response.content, kind, user_id=USER) is not None


def test_where_msgspec_is_missing_the_fast_way_reads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "msgspec", None)
    assert fast_way().read_quickly(b'{"memoryBlobs": []}', BlobDraft, user_id="u") is None
