"""Pages: the items of a member, and where the list goes on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from memoram_async.core.errors import APIResponseError
from memoram_async.core.http import HTTPResponse
from memoram_async.core.info import ResponseInfo
from memoram_async.models.item_pages import structure_page
from memoram_async.models.tags import Tag

if TYPE_CHECKING:
    from memoram_async.models.page import Page


def page_of(body: object) -> Page[Tag]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = HTTPResponse(status=200, headers={"x-request-id": "req-1"}, content=content)
    return structure_page(answer, "items", Tag, operation="listTags")


def test_items_are_read_in_order() -> None:
    assert [tag.id for tag in page_of({"items": [{"id": "a"}, {"id": "b"}]}).items] == ["a", "b"]


def test_a_page_may_be_empty() -> None:
    assert page_of({"items": []}).items == ()


def test_a_cursor_and_a_total_are_kept() -> None:
    page = page_of({"items": [], "next_cursor": "c", "total": 7})
    assert (page.next_cursor, page.total) == ("c", 7)


@pytest.mark.parametrize("end", [{}, {"next_cursor": None}, {"next_cursor": ""}], ids=repr)
def test_the_last_page_has_no_cursor(end: dict[str, object]) -> None:
    assert page_of({"items": [], **end}).next_cursor is None


@pytest.mark.parametrize("total", ["7", 7.0], ids=repr)
def test_a_total_may_be_written_otherwise(total: object) -> None:
    assert page_of({"items": [], "total": total}).total == 7


@pytest.mark.parametrize("total", [None, "many", 7.5, True, [7]], ids=repr)
def test_a_total_that_is_no_number_is_none(total: object) -> None:
    assert page_of({"items": [], "total": total}).total is None


def test_one_odd_item_does_not_spoil_its_page() -> None:
    odd = {
        "id": "b",
        "created_at": "yesterday",
        "updated_at": "2026-01-01t12:00:00z",
        "is_enabled": "perhaps",
    }
    assert [tag.id for tag in page_of({"items": [{"id": "a"}, odd, {"id": "c"}]}).items] == ["a", "b", "c"]


OTHER_SHAPES: list[object] = [
    [],
    [{"id": "a"}],
    None,
    "text",
    {},
    {"items": None},
    {"items": {"id": "a"}},
    {"tags": []},
    {"items": [], "next_cursor": 7},
    {"items": [], "next_cursor": ["c"]},
    {"items": [None]},
    {"items": [{"id": "a"}, {}]},
    {"items": [[]]},
]


@pytest.mark.parametrize("body", OTHER_SHAPES, ids=repr)
def test_a_page_of_another_shape_is_an_error(body: object) -> None:
    with pytest.raises(APIResponseError, match=r"^listTags: .* another shape") as caught:
        page_of(body)
    assert (caught.value.status, caught.value.request_id) == (200, "req-1")


def test_a_page_knows_how_the_call_went_and_its_items_leave_that_to_it() -> None:
    info = ResponseInfo(operation="listTags", status=200)
    page = structure_page(
        HTTPResponse(status=200, content=b'{"items": [{"id": "a"}]}', info=info),
        "items",
        Tag,
        operation="listTags",
    )
    assert page.info is info
    assert page.items[0].info is None


def test_a_page_of_another_shape_knows_it_too() -> None:
    info = ResponseInfo(operation="listTags", status=200)
    answer = HTTPResponse(status=200, content=b"[]", info=info)
    with pytest.raises(APIResponseError) as caught:
        structure_page(answer, "items", Tag, operation="listTags")
    assert caught.value.info is info


def test_a_page_that_is_no_json_is_an_error() -> None:
    with pytest.raises(APIResponseError, match="not valid JSON"):
        page_of(b"<html>")


def test_a_page_does_not_show_its_cursor() -> None:
    assert "canary" not in repr(page_of({"items": [], "next_cursor": "canary"}))
