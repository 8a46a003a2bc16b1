"""HTTP messages as plain data."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memoram_async.core.errors import APIResponseError, InvalidArgumentError
from memoram_async.core.http import HeaderFields, HTTPRequest, HTTPResponse, json_body
from memoram_async.core.info import ResponseInfo
from memoram_async.core.secret import Secret


def answer(content: bytes, **headers: str) -> HTTPResponse:
    return HTTPResponse(
        status=200, headers={name.replace("_", "-"): headers[name] for name in headers}, content=content
    )


def endless() -> list[Any]:
    loop: list[Any] = []
    loop.append(loop)
    return loop


def deep() -> list[Any]:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    return value


# --- request ids -------------------------------------------------------------------------------


@pytest.mark.parametrize("request_id", ["req-1", "a b", "x" * 128])
def test_a_request_id_is_kept(request_id: str) -> None:
    assert answer(b"", x_request_id=request_id).request_id == request_id


@pytest.mark.parametrize("request_id", ["", "x" * 129, "a\nb", "a\x1b[31m", "ä"])
def test_a_request_id_that_cannot_be_shown_is_none(request_id: str) -> None:
    assert answer(b"", x_request_id=request_id).request_id is None


def test_an_answer_may_come_without_a_request_id() -> None:
    assert answer(b"").request_id is None


# --- JSON answers ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"{}", {}),
        (b" [1, 2.5] ", [1, 2.5]),
        (b"null", None),
        ('"\\u00e4ö"'.encode(), "äö"),
        (b"\xef\xbb\xbf{}", {}),
        (b'{"a": 1}\r\n\t ', {"a": 1}),
        *[('{"a": "ö"}'.encode(encoding), {"a": "ö"}) for encoding in ("utf-16", "utf-16-le", "utf-32-be")],
        ("[0]".encode("utf-16-le"), [0]),
    ],
)
def test_json_is_parsed(content: bytes, value: object) -> None:
    assert answer(content).json() == value


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b'{"a": 1',
        b"<html></html>",
        b"{} {}",
        b"NaN",
        b'{"a": Infinity}',
        b"[-Infinity]",
        b"9" * 10_000,
        b"[" * 200_000,
        b"'a'",
        b"{}\x0b",
    ],
    ids=lambda content: repr(content[:15]),
)
def test_what_is_no_json_is_an_error(content: bytes) -> None:
    with pytest.raises(APIResponseError, match="is not valid JSON") as caught:
        answer(content, x_request_id="req-1").json()
    assert (caught.value.status, caught.value.request_id) == (200, "req-1")


@pytest.mark.parametrize(
    "content",
    [b"\xff\xff", '{"a": "\u00e9"}'.encode("latin-1"), b"\x1f\x8b\x08", '{"a": 1}'.encode("utf-16-le")[:-1]],
)
def test_what_is_in_another_charset_or_compressed_is_said_to_be(content: bytes) -> None:
    with pytest.raises(APIResponseError, match="is not text in UTF-8, as JSON is"):
        answer(content).json()


def test_the_error_knows_how_the_call_went() -> None:
    info = ResponseInfo(operation="getTag", status=200)
    with pytest.raises(APIResponseError) as caught:
        HTTPResponse(status=200, content=b"{", info=info).json()
    assert caught.value.info is info


@given(st.binary())
def test_bytes_are_json_or_an_error(content: bytes) -> None:
    try:
        value = answer(content).json()
    except APIResponseError:
        return
    json.dumps(value, allow_nan=True)


# --- JSON requests -----------------------------------------------------------------------------


def test_json_is_written_short_and_in_utf_8() -> None:
    assert (
        json_body({"a": [1, 2.5, None, True], "ä": "ö\U0001f600"})
        == '{"a":[1,2.5,null,true],"ä":"ö\U0001f600"}'.encode()
    )


def test_a_secret_is_written_as_its_text() -> None:
    assert (
        json_body({"memoryKey": Secret("key"), "all": [Secret("ä")]})
        == '{"memoryKey":"key","all":["ä"]}'.encode()
    )


UNWRITABLE: dict[str, object] = {
    "nan": math.nan,
    "infinity": {"a": math.inf},
    "surrogate": "\ud800",
    "surrogate for a name": {"\ud800": 1},
    "bytes": b"bytes",
    "set": {"a": {1, 2}},
    "secret for a name": {Secret("a"): 1},
    "datetime": datetime(2026, 1, 1, tzinfo=UTC),
    "tuple for a name": {(1, 2): 3},
    "thousands of digits": 10**5000,
    "endless": endless(),
    "deep": deep(),
}


@pytest.mark.parametrize("value", UNWRITABLE.values(), ids=UNWRITABLE.keys())
def test_what_json_cannot_carry_is_refused(value: object) -> None:
    with pytest.raises(InvalidArgumentError, match="cannot be written as JSON"):
        json_body(value)


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_what_was_written_can_be_read(value: object) -> None:
    assert answer(json_body(value)).json() == value


# --- what messages show ------------------------------------------------------------------------


def test_a_request_shows_neither_its_url_nor_its_headers_nor_its_body() -> None:
    request = HTTPRequest(
        method="POST",
        url="https://host/canary",
        headers={"authorization": "canary"},
        content=b"canary",
        timeout=1,
    )
    assert "canary" not in repr(request)


def test_an_answer_shows_neither_its_headers_nor_its_body() -> None:
    assert "canary" not in repr(HTTPResponse(status=200, headers={"set-cookie": "canary"}, content=b"canary"))


def test_headers_may_be_left_out() -> None:
    assert HTTPRequest(method="GET", url="https://host", timeout=1).headers == {}


def test_header_fields_show_their_names_alone() -> None:
    fields = HeaderFields({"accept": "*/*", "authorization": "Bearer CANARY"})
    assert dict(fields) == {"accept": "*/*", "authorization": "Bearer CANARY"}
    assert len(fields) == 2
    assert ("accept" in fields, "cookie" in fields) == (True, False)
    assert repr(fields) == "<HeaderFields: accept, authorization>"


def test_header_fields_are_the_same_only_if_they_are_one_object() -> None:
    fields, others = HeaderFields({"accept": "*/*"}), HeaderFields({"accept": "*/*"})
    assert fields != others
    assert hash(fields) != hash(others)
    assert {fields: 1, others: 2}[fields] == 1


def test_a_request_has_its_header_fields_until_it_is_completed() -> None:
    plain = HTTPRequest(method="GET", url="https://x.test/", headers={"a": "1"}, timeout=1)
    completed = HTTPRequest(method="GET", url="https://x.test/", timeout=1, complete=lambda: {"b": "2"})
    assert (plain.complete_headers(), completed.complete_headers()) == ({"a": "1"}, {"b": "2"})
