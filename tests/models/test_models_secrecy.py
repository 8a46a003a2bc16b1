"""Models show no key and no content, and stay in the process that fetched them."""

from __future__ import annotations

import copy
import json
import pickle
import pprint
import traceback
from typing import TYPE_CHECKING

import attrs
import pytest

from memoram_async.core.errors import APIResponseError
from memoram_async.core.http import HTTPResponse
from memoram_async.core.secret import Secret
from memoram_async.models.access import AccessCredentials, AccessRequest
from memoram_async.models.converter import structure
from memoram_async.models.developer_token import DeveloperToken
from memoram_async.models.item_pages import structure_page
from memoram_async.models.memory import Memory, MemoryBlob
from memoram_async.models.page import Page
from memoram_async.models.tags import Tag
from memoram_async.models.tokens import OAuthTokens

if TYPE_CHECKING:
    from collections.abc import Callable

CANARY = "canary-in-the-content"

PRIVATE = [
    MemoryBlob(
        id="m", content=CANARY, title=CANARY, summary=CANARY, tags=(CANARY,), tag_ids=(CANARY,), source=CANARY
    ),
    Memory(
        id="m", content=CANARY, title=CANARY, summary=CANARY, tags=(CANARY,), tag_ids=(CANARY,), source=CANARY
    ),
    AccessRequest(id="r", status="pending", reason=CANARY, memory_key=Secret(CANARY)),
    AccessCredentials(user_id="u", memory_key=Secret(CANARY), encryption_key=Secret(CANARY)),
    DeveloperToken(token=Secret(CANARY)),
    OAuthTokens(access_token=Secret(CANARY), refresh_token=Secret(CANARY), memory_key=Secret(CANARY)),
]
private = pytest.mark.parametrize("model", PRIVATE, ids=lambda model: type(model).__name__)


@private
@pytest.mark.parametrize("show", [repr, str, pprint.pformat, "{}".format])
def test_nothing_shows_a_key_or_content(model: attrs.AttrsInstance, show: Callable[[object], str]) -> None:
    shown = show(model)
    assert type(model).__name__ in shown
    assert CANARY not in shown


def test_a_page_shows_no_content_of_its_items() -> None:
    assert CANARY not in repr(Page(items=tuple(PRIVATE)))


@private
@pytest.mark.parametrize("protocol", [0, 2, pickle.HIGHEST_PROTOCOL])
def test_none_can_be_pickled(model: attrs.AttrsInstance, protocol: int) -> None:
    with pytest.raises(TypeError, match=f"^{type(model).__name__} holds a user's data and cannot be pickled"):
        pickle.dumps(model, protocol)


@pytest.mark.parametrize("model", PRIVATE, ids=lambda model: type(model).__name__)
@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_a_copy_is_the_model_itself(model: object, duplicate: Callable[[object], object]) -> None:
    assert duplicate(model) is model


@private
def test_none_can_be_changed(model: attrs.AttrsInstance) -> None:
    name = attrs.fields(type(model))[0].name
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(model, name, "another")


def test_a_tag_shows_no_description() -> None:
    assert CANARY not in repr(Tag(id="t", description=CANARY))


# --- answers of another shape ------------------------------------------------------------------


def answer(body: object) -> HTTPResponse:
    return HTTPResponse(status=200, content=json.dumps(body).encode())


def read(kind: type[object], value: object) -> object:
    return structure(answer(0), value, kind, operation="getThing")


def read_page(body: object) -> object:
    return structure_page(answer(body), "memoryBlobs", MemoryBlob, operation="listMemoryBlobs")


# Each makes its content itself, so that no frame of the test holds it.
FAILURES: dict[str, Callable[[], object]] = {
    "a blob without an id": lambda: read(MemoryBlob, {"content": CANARY}),
    "a blob with an id of another type": lambda: read(MemoryBlob, {"id": 7, "content": CANARY}),
    "a blob with content of another type": lambda: read(MemoryBlob, {"id": "m", "content": [CANARY]}),
    "credentials with a bad version": lambda: read(
        AccessCredentials,
        {"user_id": "u", "memory_key": CANARY, "encryption_key": CANARY, "key_version": CANARY},
    ),
    "text for a blob": lambda: read(MemoryBlob, CANARY),
    "a page with a bad item": lambda: read_page(
        {"memoryBlobs": [{"id": "m", "content": CANARY}, {"content": CANARY}]}
    ),
    "a page with a bad cursor": lambda: read_page({"memoryBlobs": [], "next_cursor": [CANARY]}),
    "a page under another name": lambda: read_page({"items": [{"content": CANARY}]}),
    "a page that is text": lambda: read_page(CANARY),
}


@pytest.mark.parametrize("fail", FAILURES.values(), ids=FAILURES.keys())
def test_no_error_shows_content(fail: Callable[[], object]) -> None:
    with pytest.raises(APIResponseError) as caught:
        fail()
    error = caught.value
    assert (error.__cause__, error.__context__) == (None, None)
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    frames = [frame for frame in report.stack if "memoram_async" in frame.filename]
    shown = [text for frame in frames for text in (frame.locals or {}).values()]
    shown += [f"{error} {error!r} {error.args} {vars(error)}", pickle.dumps(error).decode("latin-1")]
    assert not [text for text in shown if CANARY in text]
