"""The authorization code flow, as far as it needs no network."""

from __future__ import annotations

import base64
import hashlib
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, quote, urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette import datastructures
from starlette.datastructures import QueryParams
from starlette.requests import Request

from memoram_async.core.answers import oauth_refusal
from memoram_async.core.errors import InvalidArgumentError, OAuthError, OAuthFlowError
from memoram_async.core.oauth import (
    Flow,
    begin_flow,
    check_oauth_params,
    check_redirect_uri,
    code_challenge,
    read_flow,
)
from memoram_async.core.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

STATE = "random-1-of-32"
NOW = 1_800_000_000.0


def begun(**changes: Any) -> Flow:
    numbers = count(1)

    def random(size: int) -> str:
        return f"random-{next(numbers)}-of-{size}"

    arguments: dict[str, Any] = {
        "client_id": "app",
        "redirect_uri": "https://app.example/callback",
        "scope": None,
        "params": {},
        "wall": NOW,
        "random": random,
        **changes,
    }
    return begin_flow("https://auth.example/oauth/authorize", **arguments)


def code_of(callback: object, *, after: float = 1.0) -> str:
    """The code that a flow finds in a callback."""
    return begun().code_from(callback, wall=NOW + after).reveal()


def sent(flow: Flow) -> dict[str, str]:
    """The parameters that the user's browser carries."""
    return dict(parse_qsl(urlsplit(flow.url).query, keep_blank_values=True))


# --- the way there -----------------------------------------------------------------------------


def test_the_user_is_sent_to_the_authorization_server() -> None:
    assert begun().url.startswith("https://auth.example/oauth/authorize?")


def test_the_url_carries_what_rfc_6749_and_7636_ask_for() -> None:
    flow = begun(scope="a b")
    assert sent(flow) == {
        "response_type": "code",
        "client_id": "app",
        "redirect_uri": "https://app.example/callback",
        "state": STATE,
        "scope": "a b",
        "code_challenge": code_challenge(flow.code_verifier.reveal()),
        "code_challenge_method": "S256",
    }


def test_without_a_scope_none_is_asked_for() -> None:
    assert "scope" not in sent(begun())


def test_state_and_verifier_are_drawn_apart() -> None:
    flow = begun()
    assert (flow.state.reveal(), flow.code_verifier.reveal()) == ("random-1-of-32", "random-2-of-32")


def test_further_parameters_pass_through() -> None:
    assert sent(begun(params={"prompt": "login"}))["prompt"] == "login"


def test_the_redirect_uri_is_kept_for_the_exchange() -> None:
    assert begun().redirect_uri == "https://app.example/callback"


def test_a_scope_that_cannot_be_encoded_is_refused() -> None:
    with pytest.raises(InvalidArgumentError):
        begun(scope="\ud800").check()


def test_the_challenge_is_that_of_rfc_7636_appendix_b() -> None:
    assert (
        code_challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
        == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    )


@given(st.text(st.characters(codec="ascii"), min_size=43, max_size=128))
def test_a_challenge_is_unpadded_base64url_of_sha_256(verifier: str) -> None:
    padded = code_challenge(verifier) + "="
    assert base64.urlsafe_b64decode(padded) == hashlib.sha256(verifier.encode()).digest()


def test_an_authorization_shows_no_state_and_no_verifier() -> None:
    flow = begun()
    assert STATE not in repr(flow)
    assert "random-1" not in repr(flow)


# --- the way back ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "callback",
    [
        f"https://app.example/callback?code=abc&state={STATE}",
        f"https://app.example/callback?state={STATE}&code=abc#_=_",
        f"https://app.example/callback;a=b?code=abc&state={STATE}",
        f"http://localhost:8000/?code=abc&state={STATE}&scope=x",
        f"myapp:/callback?code=abc&state={STATE}",
        f"/callback?code=abc&state={STATE}",
        f"/a=b?code=abc&state={STATE}",
        f"callback?code=abc&state={STATE}",
        f"?code=abc&state={STATE}",
        f"code=abc&state={STATE}",
        f"session=what?&code=abc&state={STATE}",
        f"code=abc&state={STATE}&next=https://app.example/?a",
        f"code=%61bc&state={quote(STATE)}&empty=",
        f"https://[not-an-address/callback?code=abc&state={STATE}",
        f"https://app.example/callback?code=abc&state={STATE}&next=/a?b",
    ],
)
def test_the_code_is_found_in_a_url_or_query_string(callback: str) -> None:
    assert code_of(callback) == "abc"


@pytest.mark.parametrize(
    "callback",
    [
        "code=abc&state=another",
        f"code=abc&state={STATE}x",
        f"code=abc&state={STATE.upper()}",
        "code=abc&state=%ED%A0%80",
        "code=abc&state=%C3%A4",
        "code=abc&state=\ud800",
    ],
)
def test_an_answer_without_this_flows_state_is_refused(callback: str) -> None:
    with pytest.raises(OAuthFlowError, match="state is not the one of this flow"):
        code_of(callback)


@pytest.mark.parametrize("callback", ["code=abc", "code=abc&state="])
def test_an_answer_without_a_state_is_called_that(callback: str) -> None:
    with pytest.raises(OAuthFlowError, match="the callback has no state"):
        code_of(callback)


@pytest.mark.parametrize("doubled", [f"state={STATE}", "state=x", "code=abc", "code=x", "iss=a&iss=b"])
def test_an_oauth_parameter_that_comes_twice_is_called_that(doubled: str) -> None:
    name = doubled.partition("=")[0]
    with pytest.raises(InvalidArgumentError, match=f"has the parameter {name} more than once"):
        code_of(f"code=abc&state={STATE}&{doubled}")


def test_other_parameters_may_come_twice() -> None:
    assert code_of(f"code=abc&state={STATE}&utm=1&utm=2") == "abc"


def test_as_many_parameters_as_somebody_may_send_are_read() -> None:
    padding = "&".join(f"p{number}=" for number in range(62))
    assert code_of(f"code=abc&state={STATE}&{padding}") == "abc"
    with pytest.raises(InvalidArgumentError, match="more than 64 parameters"):
        code_of(f"code=abc&state={STATE}&{padding}&p=")


def test_more_parameters_than_anyone_sends_are_refused() -> None:
    padding = "&".join(f"p{number}=" for number in range(100))
    with pytest.raises(InvalidArgumentError, match="more than 64 parameters"):
        code_of(f"code=abc&state={STATE}&{padding}")


def query() -> str:
    return f"code=abc&state={STATE}&utm=1&utm=2"


FORMS: dict[str, Callable[[], object]] = {
    "bytes of a query string": lambda: query().encode(),
    "a dict": lambda: {"code": "abc", "state": STATE},
    "a dict of lists, as parse_qs makes it": lambda: parse_qs(query()),
    "a URL of Starlette": lambda: datastructures.URL(f"https://app.example/callback?{query()}"),
    "a query of Starlette": lambda: QueryParams(query()),
    "a URL of httpx": lambda: httpx.URL(f"https://app.example/callback?{query()}"),
    "a query of httpx": lambda: httpx.QueryParams(query()),
    "a split URL": lambda: urlsplit(f"https://app.example/callback?{query()}"),
    "a split URL of bytes": lambda: urlsplit(f"https://app.example/callback?{query()}".encode()),
    "a row, which is no Mapping": lambda: Row(code="abc", state=STATE),
    "a mapping that has header fields of its own": lambda: WithHeaders(code="abc", state=STATE),
}


class Row:
    """What a framework or database has that goes by names."""

    def __init__(self, **values: str) -> None:
        self._values = values

    def keys(self) -> list[str]:
        return list(self._values)

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __contains__(self, name: object) -> bool:
        return name in self._values


class WithHeaders(dict[str, str]):
    """Parameters that know more of their request."""

    headers: Mapping[str, str] = {}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_a_callback_comes_in_any_form_that_frameworks_have(form: Callable[[], object]) -> None:
    assert code_of(form()) == "abc"


DOUBLED: dict[str, Callable[[], object]] = {
    "a dict of lists": lambda: {"code": ["abc", "x"], "state": [STATE]},
    "a query of Starlette": lambda: QueryParams(f"code=abc&state={STATE}&code=x"),
    "a query of httpx": lambda: httpx.QueryParams(f"code=abc&state={STATE}&code=x"),
    "a mapping with getall": lambda: GetAll(code="abc", state=STATE),
}


class GetAll(dict[str, str]):
    """A multidict as aiohttp has it, with everything twice."""

    def getall(self, name: str) -> list[str]:
        return [self[name]] * 2


@pytest.mark.parametrize("form", DOUBLED.values(), ids=DOUBLED.keys())
def test_a_doubled_parameter_is_seen_in_any_form(form: Callable[[], object]) -> None:
    with pytest.raises(InvalidArgumentError, match="the parameter code more than once"):
        code_of(form())


WRONG: dict[str, tuple[Callable[[], object], str]] = {
    "None": (lambda: None, "is of type NoneType"),
    "a number": (lambda: 7, "is of type int"),
    "a list": (lambda: ["code"], "is of type list"),
    "a request": (lambda: Request({"type": "http", "method": "GET", "headers": []}), "is a request"),
    "a value that is no text": (lambda: {"code": 7, "state": STATE}, "code .* must be a string, not int"),
    "the bare code": (lambda: "abc", "none of the parameters code, state and error"),
    "an empty mapping": (dict, "none of the parameters"),
    "a fragment": (lambda: f"https://app.example/#code=abc&state={STATE}", "none of the parameters"),
}


@pytest.mark.parametrize(("form", "fault"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_callback_is_called_what_it_is(form: Callable[[], object], fault: str) -> None:
    with pytest.raises(InvalidArgumentError, match=fault) as caught:
        code_of(form())
    assert not isinstance(caught.value, OAuthFlowError)


def test_a_user_may_take_an_hour() -> None:
    assert code_of(query(), after=3600) == "abc"
    with pytest.raises(OAuthFlowError, match="after more than 60 minutes"):
        code_of(query(), after=3601)


def test_a_clock_that_went_back_makes_no_flow_old() -> None:
    assert code_of(query(), after=-100_000) == "abc"


@pytest.mark.parametrize("code", ["", "%20", "a%20b", "a%0Ab", "%C3%A4", "ä", "a+b"])
def test_a_code_that_cannot_be_sent_is_refused(code: str) -> None:
    with pytest.raises(InvalidArgumentError, match="neither a usable code nor an error"):
        code_of(f"code={code}&state={STATE}")


def test_an_answer_without_a_code_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="neither a usable code nor an error"):
        code_of(f"state={STATE}")


def test_a_refusal_is_an_error_with_its_code() -> None:
    with pytest.raises(OAuthError, match="the user did not consent") as caught:
        code_of(f"error=access_denied&error_description=No&state={STATE}")
    assert (caught.value.code, caught.value.status) == ("access_denied", 0)


def test_a_refusal_comes_as_a_mapping_too() -> None:
    with pytest.raises(OAuthError, match="the user did not consent"):
        code_of({"error": "access_denied", "state": STATE})


def test_a_refusal_counts_even_beside_a_code() -> None:
    with pytest.raises(OAuthError):
        code_of(f"error=server_error&code=abc&state={STATE}")


def test_a_refusal_with_another_state_is_not_believed() -> None:
    with pytest.raises(InvalidArgumentError):
        code_of("error=access_denied&state=another")


@pytest.mark.parametrize("code", ["", "Call 555-1234!", "<script>", "x" * 49, "ä"])
def test_an_unknown_refusal_is_not_quoted_unless_it_looks_like_a_code(code: str) -> None:
    with pytest.raises(
        OAuthError, match=r"^authorize: the authorization server refused the request$"
    ) as caught:
        code_of(f"error={quote(code)}&state={STATE}")
    assert caught.value.code is None


def test_a_refusal_that_looks_like_a_code_is_named() -> None:
    assert str(oauth_refusal("login_required")).endswith("(login_required)")


# --- who answers (RFC 9207) --------------------------------------------------------------------


@pytest.mark.parametrize(
    "issuer",
    [
        "https://auth.example",
        "https://auth.example/",
        "https://AUTH.example:443",
        "https://auth.example/tenant",
    ],
)
def test_an_answer_of_the_same_server_is_believed(issuer: str) -> None:
    callback = f"code=abc&state={STATE}&iss={quote(issuer, safe='')}"
    assert code_of(callback) == "abc"


@pytest.mark.parametrize(
    "issuer", ["https://evil.example", "http://auth.example", "https://auth.example:444", "auth.example", ""]
)
def test_an_answer_of_another_server_is_refused(issuer: str) -> None:
    with pytest.raises(InvalidArgumentError, match="another authorization server"):
        code_of(f"code=abc&state={STATE}&iss={quote(issuer, safe='')}")


@given(st.text() | st.from_regex(r"(https?://[\[\]a-z]{0,4})?\?(code|state|error|iss)=.{0,8}(&.{0,8})*"))
def test_no_callback_whatsoever_breaks_it(callback: str) -> None:
    with pytest.raises((InvalidArgumentError, OAuthError)):
        code_of(callback)


# --- in another process ------------------------------------------------------------------------


def test_a_flow_is_written_and_read_again() -> None:
    flow = begun(scope="a ä", params={"prompt": "login"})
    again = read_flow(Secret(flow.written().decode()), endpoint=flow.endpoint)
    assert again.url == flow.url
    assert again.code_from(query(), wall=NOW).reveal() == "abc"
    assert again.began == NOW


def test_a_flow_is_written_short_for_it_travels_in_cookies() -> None:
    written = begun(scope="a ä").written()
    assert b'"o":"a \xc3\xa4","p":{}' in written


@pytest.mark.parametrize(
    "params",
    [
        {"state": "mine"},
        {"client_secret": "x"},
        {"code_challenge": "x"},
        {7: "x"},
        {"x": 7},
        {"x": "\ud800"},
        {"x": "a\nb"},
        "prompt",
        7,
    ],
    ids=repr,
)
def test_parameters_that_are_the_flows_own_or_no_text_are_refused(params: object) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^params must"):
        check_oauth_params(params)


def test_without_parameters_there_are_none() -> None:
    assert check_oauth_params(None) == {}


# --- redirect URIs -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example/callback?a=b",
        "http://localhost:8000/cb",
        "http://[::1]:1/cb",
        "com.example.app:/cb",
        "myapp://cb",
    ],
)
def test_an_absolute_uri_is_a_redirect_uri(uri: str) -> None:
    assert check_redirect_uri(uri) == uri


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "/callback",
        "app.example/callback",
        "https:",
        "https://a/cb#top",
        "https://a/c b",
        "https://a/ä",
        "https://[a",
        None,
        b"https://a",
    ],
)
def test_anything_else_is_no_redirect_uri(uri: object) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^redirect_uri must be an absolute URI"):
        check_redirect_uri(uri)
