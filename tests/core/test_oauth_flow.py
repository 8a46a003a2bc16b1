"""The authorization code flow, as far as it needs no network."""

from __future__ import annotations

import base64
import hashlib
from itertools import count
from typing import Any, cast
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memoram_async.core.answers import oauth_refusal
from memoram_async.core.errors import InvalidArgumentError, OAuthError
from memoram_async.core.oauth import Authorization, authorize, check_redirect_uri, code_challenge
from memoram_async.core.secret import Secret

STATE = "state-of-this-session"


def begun(**changes: Any) -> Authorization:
    numbers = count(1)

    def random(size: int) -> str:
        return f"random-{next(numbers)}-of-{size}"

    arguments: dict[str, Any] = {
        "client_id": "app",
        "redirect_uri": "https://app.example/callback",
        "scope": None,
        "state": STATE,
        "random": random,
        **changes,
    }
    return authorize("https://auth.example", **arguments)


def sent(authorization: Authorization) -> dict[str, str]:
    """The parameters that the user's browser carries."""
    return dict(parse_qsl(urlsplit(authorization.url).query, keep_blank_values=True))


# --- the way there -----------------------------------------------------------------------------


def test_the_user_is_sent_to_the_authorization_server() -> None:
    assert begun().url.startswith("https://auth.example/oauth/authorize?")


def test_the_url_carries_what_rfc_6749_and_7636_ask_for() -> None:
    authorization = begun(scope="a b")
    assert sent(authorization) == {
        "response_type": "code",
        "client_id": "app",
        "redirect_uri": "https://app.example/callback",
        "state": STATE,
        "scope": "a b",
        "code_challenge": code_challenge(authorization.code_verifier.reveal()),
        "code_challenge_method": "S256",
    }


def test_without_a_scope_none_is_asked_for() -> None:
    assert "scope" not in sent(begun())


def test_without_a_state_a_random_one_is_made() -> None:
    authorization = begun(state=None)
    assert authorization.state.reveal() == "random-1-of-32"
    assert sent(authorization)["state"] == "random-1-of-32"


def test_state_and_verifier_are_drawn_apart() -> None:
    authorization = begun(state=None)
    assert authorization.code_verifier.reveal() == "random-2-of-32"


def test_a_wrapped_state_is_taken() -> None:
    state = Secret("mine")
    assert begun(state=state).state is state


def test_the_redirect_uri_is_kept_for_the_exchange() -> None:
    assert begun().redirect_uri == "https://app.example/callback"


def test_a_scope_that_cannot_be_encoded_is_refused() -> None:
    with pytest.raises(InvalidArgumentError):
        begun(scope="\ud800")


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
    authorization = begun()
    assert STATE not in repr(authorization)
    assert "random-1" not in repr(authorization)


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
    ],
)
def test_the_code_is_found_in_a_url_or_query_string(callback: str) -> None:
    assert begun().code_from(callback).reveal() == "abc"


@pytest.mark.parametrize(
    "callback",
    [
        "code=abc&state=another",
        f"code=abc&state={STATE}x",
        f"code=abc&state={STATE.upper()}",
        "code=abc&state=",
        "code=abc&state=%ED%A0%80",
        "code=abc&state=%C3%A4",
        "code=abc&state=\ud800",
        "code=abc",
        "",
        "?",
        "nothing here",
        f"https://app.example/callback#code=abc&state={STATE}",
    ],
)
def test_an_answer_without_this_flows_state_is_refused(callback: str) -> None:
    with pytest.raises(InvalidArgumentError, match="state is not the one of this authorization"):
        begun().code_from(callback)


@pytest.mark.parametrize("doubled", [f"state={STATE}", "state=x", "code=abc", "code=x", "other=1&other=2"])
def test_a_parameter_that_comes_twice_is_a_sign_of_tampering(doubled: str) -> None:
    with pytest.raises(InvalidArgumentError):
        begun().code_from(f"code=abc&state={STATE}&{doubled}")


def test_more_parameters_than_anyone_sends_are_refused() -> None:
    padding = "&".join(f"p{number}=" for number in range(100))
    with pytest.raises(InvalidArgumentError):
        begun().code_from(f"code=abc&state={STATE}&{padding}")


@pytest.mark.parametrize("callback", [None, b"code=abc", 7, {"code": "abc", "state": STATE}], ids=repr)
def test_a_callback_is_text(callback: object) -> None:
    with pytest.raises(InvalidArgumentError):
        begun().code_from(cast("str", callback))


@pytest.mark.parametrize("state", ["", "\ud800"])
def test_a_state_that_was_lost_matches_nothing(state: str) -> None:
    lost = Authorization(
        url="https://auth.example", state=Secret(state), code_verifier=Secret("v"), redirect_uri=""
    )
    for callback in ("code=abc&state=", "code=abc", "code=abc&state=?"):
        with pytest.raises(InvalidArgumentError, match="state is not the one"):
            lost.code_from(callback)


@pytest.mark.parametrize("code", ["", "%20", "a%20b", "a%0Ab", "%C3%A4", "ä", "a+b"])
def test_a_code_that_cannot_be_sent_is_refused(code: str) -> None:
    with pytest.raises(InvalidArgumentError, match="neither a usable code nor an error"):
        begun().code_from(f"code={code}&state={STATE}")


def test_an_answer_without_a_code_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="neither a usable code nor an error"):
        begun().code_from(f"state={STATE}")


def test_a_refusal_is_an_error_with_its_code() -> None:
    with pytest.raises(OAuthError, match="the user did not consent") as caught:
        begun().code_from(f"error=access_denied&error_description=No&state={STATE}")
    assert (caught.value.code, caught.value.status) == ("access_denied", 0)


def test_a_refusal_counts_even_beside_a_code() -> None:
    with pytest.raises(OAuthError):
        begun().code_from(f"error=server_error&code=abc&state={STATE}")


def test_a_refusal_with_another_state_is_not_believed() -> None:
    with pytest.raises(InvalidArgumentError):
        begun().code_from("error=access_denied&state=another")


@pytest.mark.parametrize("code", ["", "Call 555-1234!", "<script>", "x" * 49, "ä"])
def test_an_unknown_refusal_is_not_quoted_unless_it_looks_like_a_code(code: str) -> None:
    with pytest.raises(
        OAuthError, match=r"^authorize: the authorization server refused the request$"
    ) as caught:
        begun().code_from(f"error={quote(code)}&state={STATE}")
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
    assert begun().code_from(callback).reveal() == "abc"


@pytest.mark.parametrize(
    "issuer", ["https://evil.example", "http://auth.example", "https://auth.example:444", "auth.example", ""]
)
def test_an_answer_of_another_server_is_refused(issuer: str) -> None:
    with pytest.raises(InvalidArgumentError, match="another authorization server"):
        begun().code_from(f"code=abc&state={STATE}&iss={quote(issuer, safe='')}")


@given(st.text() | st.from_regex(r"(https?://[\[\]a-z]{0,4})?\?(code|state|error|iss)=.{0,8}(&.{0,8})*"))
def test_no_callback_whatsoever_breaks_it(callback: str) -> None:
    with pytest.raises((InvalidArgumentError, OAuthError)):
        begun().code_from(callback)


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
