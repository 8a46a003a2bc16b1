"""Error answers: a typed error that says what to do and quotes nothing of the answer."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memoram_async.core.answers import oauth_meaning, status_error
from memoram_async.core.errors import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    NotFoundError,
    OAuthError,
    PermissionDeniedError,
    RateLimitedError,
    RedirectError,
    ServerError,
    UnprocessableError,
)
from memoram_async.core.http import HTTPResponse

UNTIL = datetime(2026, 11, 26, 12, tzinfo=UTC)
CANARY = "canary 7 in the answer"


def error_of(
    status: int,
    body: object = b"",
    *,
    headers: dict[str, str] | None = None,
    oauth: bool = False,
    retry_after: float | None = None,
) -> APIStatusError:
    response = HTTPResponse(
        status=status,
        headers=headers or {},
        content=body if isinstance(body, bytes) else json.dumps(body).encode(),
    )
    return status_error(
        response, operation="getMemoryBlob", meaning=oauth_meaning if oauth else None, retry_after=retry_after
    )


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, RedirectError),
        (304, RedirectError),
        (308, RedirectError),
        (400, BadRequestError),
        (401, AuthenticationError),
        (403, PermissionDeniedError),
        (404, NotFoundError),
        (409, ConflictError),
        (422, UnprocessableError),
        (429, RateLimitedError),
        (500, ServerError),
        (503, ServerError),
        (599, ServerError),
        (999, ServerError),
        (100, APIStatusError),
        (418, APIStatusError),
        (451, APIStatusError),
    ],
)
def test_each_status_has_its_error(status: int, kind: type[APIStatusError]) -> None:
    error = error_of(status)
    assert type(error) is kind
    assert error.status == status


@pytest.mark.parametrize("status", [100, 302, 400, 401, 404, 418, 429, 500, 599])
def test_every_message_names_the_operation_and_the_status(status: int) -> None:
    message = str(error_of(status))
    assert message.startswith("getMemoryBlob: ")
    assert f"(HTTP {status})" in message


def test_a_request_id_is_named() -> None:
    error = error_of(500, headers={"x-request-id": "req-1"})
    assert error.request_id == "req-1"
    assert str(error).endswith("(HTTP 500, request id req-1)")


@pytest.mark.parametrize(
    ("told", "until"),
    [
        ({"until": "2026-11-26T12:00:00Z"}, UNTIL),
        ({"until": "2026-11-26T13:00:00+01:00"}, UNTIL),
        ({"until": "2026-11-26T12:00:00"}, None),
        ({"until": "soon"}, None),
        ({"until": 7}, None),
        ({}, None),
    ],
)
def test_a_conflict_says_until_when(told: dict[str, object], until: datetime | None) -> None:
    error = error_of(409, {"error": {"code": "asking_paused", **told}})
    assert isinstance(error, ConflictError)
    assert error.until == until


@pytest.mark.parametrize("body", [b"", b"{", b"7", b"[]", b'{"error": 7}', b"[" * 100_000])
def test_a_conflict_that_says_nothing_sets_no_time(body: bytes) -> None:
    error = error_of(409, body)
    assert isinstance(error, ConflictError)
    assert error.until is None


def test_the_wait_that_was_asked_for_is_kept() -> None:
    assert error_of(429, retry_after=7).retry_after == 7


# --- what the service wrote --------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        {"code": "quota_exceeded"},
        {"error": "quota_exceeded"},
        {"error": {"code": "quota_exceeded"}},
        {"error": {"error": "quota_exceeded"}},
        {"code": 42, "error": "quota_exceeded"},
        {"code": "E-42", "error": "quota_exceeded"},
        {"code": "quota_exceeded", "error": "Forbidden for this plan"},
    ],
)
def test_a_code_is_found_wherever_services_put_it(body: object) -> None:
    error = error_of(403, body)
    assert error.code == "quota_exceeded"
    assert "(HTTP 403, quota_exceeded)" in str(error)


@pytest.mark.parametrize(
    "code", ["x", "42", "E42", "two words", "a-b", "x" * 49, "", None, ["a"], {"a": 1}, CANARY]
)
def test_what_does_not_look_like_a_code_is_none(code: object) -> None:
    assert error_of(400, {"code": code}).code is None


@pytest.mark.parametrize(
    "body",
    [
        {"message": CANARY},
        {"error_description": CANARY},
        {"detail": CANARY},
        {"error": {"message": CANARY}},
        {"message": None, "detail": CANARY},
        {"message": {"text": "x"}, "detail": CANARY},
    ],
)
def test_the_services_own_words_are_wrapped(body: object) -> None:
    error = error_of(400, body)
    assert error.server_message is not None
    assert error.server_message.reveal() == CANARY
    assert CANARY not in f"{error} {error!r} {vars(error)}"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"7",
        b'"text"',
        b"{}",
        b'{"error": null}',
        b'{"error": []}',
        b'{"message": 7}',
        b"<html>Bad gateway</html>",
        b"{",
        b"\xff\xfe",
        b"\x00" * 10,
        b"[" * 60_000,
        b'{"error":' * 6_000,
        b"9" * 60_000,
        b'{"message": "' + b"x" * 70_000 + b'"}',
        '{"größe": "ä"}'.encode("latin-1"),
    ],
    ids=lambda body: repr(body[:20]),
)
def test_a_body_that_says_nothing_yields_an_error_all_the_same(body: bytes) -> None:
    error = error_of(400, body)
    assert (type(error), error.code, error.server_message) == (BadRequestError, None, None)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_every_encoding_of_json_is_read(encoding: str) -> None:
    assert error_of(403, '{"error": "quota_exceeded"}'.encode(encoding)).code == "quota_exceeded"


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.just(CANARY),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.sampled_from(["error", "code", "message", "detail", CANARY]), inner)
    ),
)


@given(status=st.integers(100, 599), body=JSON, oauth=st.booleans())
def test_no_json_of_the_answer_is_quoted(status: int, body: object, oauth: bool) -> None:
    error = error_of(status, body, oauth=oauth)
    assert CANARY not in f"{error} {error!r} {error.args} {vars(error)}"


@given(status=st.integers(100, 599), body=st.binary())
def test_no_bytes_whatsoever_break_it(status: int, body: bytes) -> None:
    assert error_of(status, body).status == status


# --- OAuth -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("invalid_grant", "send the user through authorization again"),
        ("invalid_client", "client id or client secret is wrong"),
        ("invalid_request", "missing or malformed"),
        ("unauthorized_client", "may not use this grant"),
        ("unsupported_grant_type", "does not know this grant"),
        ("invalid_scope", "scope"),
        ("access_denied", "did not consent"),
        ("something_new", "refused the request"),
    ],
)
def test_an_oauth_error_says_what_its_code_means(code: str, words: str) -> None:
    error = error_of(400, {"error": code, "error_description": "x"}, oauth=True)
    assert isinstance(error, OAuthError)
    assert (error.code, error.status) == (code, 400)
    assert words in str(error)


def test_a_second_code_of_another_kind_does_not_hide_the_oauth_one() -> None:
    assert isinstance(error_of(400, {"error": "invalid_grant", "code": 400}, oauth=True), OAuthError)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(302, RedirectError), (429, RateLimitedError), (500, ServerError), (503, ServerError)],
)
def test_what_is_no_refusal_stays_what_it_is(status: int, kind: type[APIStatusError]) -> None:
    assert type(error_of(status, {"error": "temporarily_unavailable"}, oauth=True)) is kind


def test_an_oauth_answer_without_a_code_is_read_by_its_status() -> None:
    assert type(error_of(401, b"", oauth=True)) is AuthenticationError


def test_an_api_error_is_no_oauth_error() -> None:
    assert type(error_of(400, {"error": "invalid_grant"})) is BadRequestError


@pytest.mark.parametrize(
    ("operation", "status", "words"),
    [
        ("createToken", 403, "does not let this application do that; check in the developer portal"),
        ("listAccessRequests", 403, "does not let this application do that"),
        ("getMemoryBlob", 403, "the user must approve an access request first"),
        ("createMemoryBlob", 410, "has been deleted since"),
        ("createMemoryBlob", 413, "larger than the service or a proxy on the way accepts"),
        ("createToken", 405, "check base_url and auth_url"),
    ],
)
def test_a_message_fits_what_was_asked(operation: str, status: int, words: str) -> None:
    error = status_error(HTTPResponse(status=status), operation=operation)
    assert words in str(error)
