"""Identifiers, paths and queries: what is put into a URL stays where it was put."""

from __future__ import annotations

from enum import StrEnum
from urllib.parse import parse_qsl, unquote, urlsplit
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from memoram_async.core.errors import InvalidArgumentError
from memoram_async.core.secret import Secret
from memoram_async.core.urls import check_id, check_path, expand, with_query


class Colour(StrEnum):
    RED = "red"


# --- identifiers -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value", ["mem_123", "cm8r8ny2i001mm24853tqfd62", "...", ".a", "a.b", "%2e", "ä", "a:b@c;d"]
)
def test_an_identifier_is_kept(value: str) -> None:
    assert check_id(value, name="id") == value


@pytest.mark.parametrize(
    "value",
    [
        "",
        ".",
        "..",
        "a/b",
        "/",
        "../x",
        "a?b",
        "a#b",
        "a\\b",
        "a b",
        " a",
        "a\n",
        "a\tb",
        "\x00",
        "a\x7f",
        "a\x85",
        "a\N{NO-BREAK SPACE}",
        "a\N{LINE SEPARATOR}",
        "\ud800",
    ],
)  # fmt: skip
def test_what_could_leave_its_segment_is_no_identifier(value: str) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^blob_id is not an identifier"):
        check_id(value, name="blob_id")


@pytest.mark.parametrize(
    ("value", "kind"), [(None, "NoneType"), (7, "int"), (b"a", "bytes"), (Secret("a"), "Secret")]
)
def test_an_identifier_is_text(value: object, kind: str) -> None:
    with pytest.raises(InvalidArgumentError, match=f"^blob_id must be a string, not {kind}$"):
        check_id(value, name="blob_id")


# --- paths from identifiers --------------------------------------------------------------------


def test_segments_are_encoded_whole() -> None:
    assert expand("/memory-blobs/{blobId}", blobId="a:b%2fc@ä") == "/memory-blobs/a%3Ab%252fc%40%C3%A4"
    assert expand("/tags/{tagId}/{other}", tagId="a/b", other="c.d~e") == "/tags/a%2Fb/c.d~e"


@given(st.text())
def test_an_identifier_is_always_one_segment(value: str) -> None:
    try:
        checked = check_id(value, name="id")
    except InvalidArgumentError:
        assume(False)
    else:
        encoded = expand("/memory-blobs/{blobId}", blobId=checked)
        assert encoded.isascii()
        assert urlsplit(f"https://host{encoded}").path.split("/") == [
            "",
            "memory-blobs",
            encoded.split("/")[2],
        ]
        assert unquote(encoded.split("/")[2]) == value


# --- paths of free requests --------------------------------------------------------------------


@pytest.mark.parametrize(
    "value", ["/", "/memory-blobs", "/memory-blobs/", "/a/b%20c/d:e@f", "/a//b", "/...", "/a%C3%A4"]
)
def test_a_path_below_the_base_url_is_kept(value: str) -> None:
    assert check_path(value) == value


@pytest.mark.parametrize(
    "value",
    [
        "",
        "memory-blobs",
        "//evil.example",
        "///",
        "https://evil.example",
        "/a?b",
        "/a#b",
        "/a\\b",
        "/a b",
        "/a\n",
        "/ä",
        "/a/../b",
        "/..",
        "/a/.",
        "/a/%2e%2e/b",
        "/%2E",
        "/.%2e/b",
        "/%2e./b",
        "/a%2f..%2fb",
        "/..%2Fb",
        "/a%5Cb",
        "/a%00",
        "/a%0d%0ab",
        "/a%7f",
        None,
        7,
        b"/a",
    ],
)
def test_a_path_that_could_lead_elsewhere_is_refused(value: object) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^path must begin with a single '/'"):
        check_path(value)


@given(st.text(st.sampled_from("/.%2eEfF5cC\\?#:@ab")).map("/{}".format))
def test_a_path_that_is_taken_resolves_to_itself(value: str) -> None:
    try:
        taken = check_path(value)
    except InvalidArgumentError:
        return
    assert not {".", ".."} & set(unquote(taken).split("/"))
    assert urlsplit(f"https://host/api{taken}").path == f"/api{taken}"


# --- queries -----------------------------------------------------------------------------------


def test_parameters_are_encoded() -> None:
    assert (
        with_query("https://host/a", {"q": "a&b=c d", "ä": "ö+"})
        == "https://host/a?q=a%26b%3Dc+d&%C3%A4=%C3%B6%2B"
    )


def test_parameters_that_need_no_encoding_are_joined() -> None:
    assert with_query("https://host", {"a": "b", "c": None, "d": "e.f-g"}) == "https://host?a=b&d=e.f-g"


def test_a_wrapped_parameter_is_written_as_its_text() -> None:
    assert with_query("https://host", {"search": Secret("a b"), "n": 1}) == "https://host?search=a+b&n=1"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (0.25, "0.25"),
        ("", ""),
        (Colour.RED, "red"),
        (UUID(int=7), str(UUID(int=7))),
    ],
)
def test_values_are_written_as_the_wire_has_them(value: object, text: str) -> None:
    assert with_query("https://host", {"a": value}) == f"https://host?a={text}"


@pytest.mark.parametrize("params", [{}, {"a": None}, {"a": None, "b": None}])
def test_nothing_given_adds_nothing(params: dict[str, object]) -> None:
    assert with_query("https://host/a", params) == "https://host/a"


def test_what_is_none_is_left_out() -> None:
    assert with_query("https://host", {"a": None, "b": 1}) == "https://host?b=1"


@pytest.mark.parametrize(
    "value",
    ["\ud800", b"a", ["a", "b"], ("a",), {"a"}, {"a": 1}, iter("ab"), 10**5000],
    ids=lambda value: type(value).__name__,
)
def test_a_value_that_cannot_be_written_is_refused(value: object) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^a query parameter cannot be written"):
        with_query("https://host", {"a": value})


@given(st.dictionaries(st.text(), st.text()))
def test_what_was_put_in_comes_out(params: dict[str, str]) -> None:
    query = urlsplit(with_query("https://host/a", params)).query
    assert dict(parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))) == params
