"""What callers may pass, and what they are told when it cannot be sent."""

from __future__ import annotations

import functools
import math
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memoram_async.core.arguments import (
    check_callback,
    check_count,
    check_flag,
    check_idempotency_key,
    check_key_version,
    check_method,
    check_number,
    check_optional_text,
    check_params,
    check_query,
    check_reason,
    check_retries,
    check_seconds,
    check_secret_text,
    check_stored_content,
    check_tag_filter,
    check_tags,
    is_visible_ascii,
)
from memoram_async.core.arguments import given as given_members
from memoram_async.core.errors import InvalidArgumentError
from memoram_async.core.secret import Secret
from memoram_async.core.unset import UNSET

if TYPE_CHECKING:
    from collections.abc import Callable


# --- arguments that may be left out ------------------------------------------------------------


def test_what_was_not_given_is_left_out_and_none_stays() -> None:
    assert given_members(a=1, b=UNSET, c=None, d="") == {"a": 1, "c": None, "d": ""}


def test_unset_shows_as_its_name() -> None:
    assert repr(UNSET) == "UNSET"


# --- keys, tokens, codes -----------------------------------------------------------------------


@pytest.mark.parametrize("value", ["mem_1", "a.b-c_d~e", "!", "~", "=" * 5000])
def test_visible_ascii_is_a_secret_that_can_be_sent(value: str) -> None:
    assert check_secret_text(value, name="code").reveal() == value


def test_a_wrapped_secret_stays_what_it_is() -> None:
    secret = Secret("mem_1")
    assert check_secret_text(secret, name="code") is secret


@pytest.mark.parametrize(
    "value",
    ["", " ", "a b", "a\n", "\na", "a\r\nX-Evil: 1", "a\t", "a\x00", "a\x7f", "ä", "\ud800", Secret("a b")],
)
def test_what_is_unsafe_in_a_header_is_refused(value: object) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^code is empty or holds white space"):
        check_secret_text(value, name="code")


@pytest.mark.parametrize(
    ("value", "kind"), [(None, "NoneType"), (7, "int"), (b"a", "bytes"), (UNSET, "Unset")]
)
def test_a_secret_is_text(value: object, kind: str) -> None:
    with pytest.raises(InvalidArgumentError, match=f"^code must be a string, not {kind}$"):
        check_secret_text(value, name="code")


@given(st.text(max_size=3))
def test_visible_ascii_is_what_rfc_9110_calls_vchar(text: str) -> None:
    assert is_visible_ascii(text) is (text != "" and all("!" <= character <= "~" for character in text))


# --- the reason of an access request -----------------------------------------------------------


@pytest.mark.parametrize("reason", ["x", "ä" * 255, "a\nb", " padded "])
def test_a_reason_of_1_to_255_characters_is_kept(reason: str) -> None:
    assert check_reason(reason).reveal() == reason


def test_a_longer_reason_is_refused_with_its_length() -> None:
    with pytest.raises(InvalidArgumentError, match="has 256 characters, and the service takes at most 255"):
        check_reason("x" * 256)


@pytest.mark.parametrize("reason", ["", " ", "\n\t", "\N{NO-BREAK SPACE}"])
def test_a_reason_says_something(reason: str) -> None:
    with pytest.raises(InvalidArgumentError, match="reason is empty"):
        check_reason(reason)


@pytest.mark.parametrize(("reason", "kind"), [(None, "NoneType"), (b"why", "bytes"), (7, "int")])
def test_a_reason_is_text(reason: object, kind: str) -> None:
    with pytest.raises(InvalidArgumentError, match=f"^reason must be a string, not {kind}$"):
        check_reason(reason)


# --- questions ---------------------------------------------------------------------------------


@pytest.mark.parametrize("wrap", [str, Secret])
def test_a_question_is_kept_and_wrapped(wrap: Callable[[str], object]) -> None:
    assert check_query(wrap(" which tea? ")).reveal() == " which tea? "


@pytest.mark.parametrize("text", ["", " \n\t", Secret(" ")])
def test_a_question_asks_something(text: object) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^query is empty: say what to look for$"):
        check_query(text)


@pytest.mark.parametrize(("query", "kind"), [(None, "NoneType"), (b"tea", "bytes"), (7, "int")])
def test_a_question_is_text(query: object, kind: str) -> None:
    with pytest.raises(InvalidArgumentError, match=f"^query must be a string, not {kind}$"):
        check_query(query)


# --- text members ------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [None, UNSET])
def test_none_and_unset_are_text_members(value: object) -> None:
    assert check_optional_text(value, name="title") is value


@pytest.mark.parametrize("wrap", [str, Secret])
@pytest.mark.parametrize("text", ["", "text"])
def test_so_is_text_which_comes_back_wrapped(text: str, wrap: Callable[[str], object]) -> None:
    assert check_optional_text(wrap(text), name="title").reveal() == text


@pytest.mark.parametrize("value", [7, b"text", ["text"]], ids=repr)
def test_anything_else_is_no_text_member(value: object) -> None:
    with pytest.raises(InvalidArgumentError, match=f"^title must be a string, not {type(value).__name__}$"):
        check_optional_text(value, name="title")


# --- numbers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [0, 1, -1, 0.5, 5, 1e308, 10**300, None, UNSET])
def test_finite_numbers_none_and_unset_are_numbers(value: object) -> None:
    assert check_number(value, name="importance") is value


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, 10**400, -(10**5000)], ids=["nan", "inf", "-inf", "400", "5000"]
)
def test_a_number_is_finite(value: object) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^importance must be finite"):
        check_number(value, name="importance")


@pytest.mark.parametrize("value", [True, False, "1", b"1", 1j, Decimal(1), [1]], ids=repr)
def test_what_only_resembles_a_number_is_none(value: object) -> None:
    with pytest.raises(
        InvalidArgumentError, match=f"^importance must be a number, not {type(value).__name__}$"
    ):
        check_number(value, name="importance")


@pytest.mark.parametrize("value", [1, 10, 10**9])
def test_a_count_is_a_whole_number_of_at_least_1(value: int) -> None:
    assert check_count(value, name="page_size") == value


def test_a_count_may_be_left_to_the_service() -> None:
    assert check_count(None, name="page_size") is None


@pytest.mark.parametrize("value", [0, -1, 1.0, True, "1"], ids=repr)
def test_anything_else_is_no_count(value: object) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^page_size must be a whole number of at least 1$"):
        check_count(value, name="page_size")


@pytest.mark.parametrize("value", [0, 1, 100])
def test_retries_may_be_switched_off(value: int) -> None:
    check_retries(value)


@pytest.mark.parametrize("value", [-1, 1.0, True, None, "2", math.inf], ids=repr)
def test_retries_are_a_whole_number(value: object) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^max_retries must be a whole number of at least 0$"):
        check_retries(value)


@pytest.mark.parametrize("value", [1, 0.001, 1e9])
def test_a_duration_is_positive(value: float) -> None:
    assert check_seconds(value, name="timeout") == value


@pytest.mark.parametrize(
    "value", [0, -1, math.nan, math.inf, 10**400, True, "1", None], ids=lambda value: str(value)[:4]
)
def test_anything_else_is_no_duration(value: object) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^timeout must be a positive number of seconds$"):
        check_seconds(value, name="timeout")


def test_a_duration_without_limit_is_none_where_that_is_allowed() -> None:
    assert check_seconds(None, name="timeout", optional=True) is None


def test_the_message_says_that_none_is_allowed() -> None:
    with pytest.raises(InvalidArgumentError, match="or None for no limit"):
        check_seconds(0, name="timeout", optional=True)


# --- tags --------------------------------------------------------------------------------------


def names_of(tags: object) -> list[str]:
    return [tag.reveal() for tag in check_tags(tags)]


@pytest.mark.parametrize(
    "make", [list, tuple, dict.fromkeys, iter], ids=["list", "tuple", "dict", "iterator"]
)
def test_any_iterable_of_names_makes_tags(make: Callable[[list[str]], object]) -> None:
    assert names_of(make(["a", "b"])) == ["a", "b"]
    assert names_of(Secret(make(["a", "b"]))) == ["a", "b"]  # type: ignore[arg-type]


def test_no_tags_are_tags() -> None:
    assert check_tags(()) == []


@pytest.mark.parametrize("tags", ["travel", b"travel", "", Secret("travel")])
def test_one_string_is_not_taken_for_its_letters(tags: object) -> None:
    with pytest.raises(InvalidArgumentError, match="not one string"):
        check_tags(tags)


@pytest.mark.parametrize(("tags", "kind"), [(None, "NoneType"), (7, "int")])
def test_tags_are_several(tags: object, kind: str) -> None:
    with pytest.raises(InvalidArgumentError, match=f"^tags must be a list of names, not {kind}$"):
        check_tags(tags)


@pytest.mark.parametrize(
    "tags", [[""], ["a", ""], ["a", None], [7], [b"a"], [["a"]], bytearray(b"a")], ids=repr
)
def test_each_tag_is_text_that_is_not_empty(tags: object) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^each tag must be a string that is not empty$"):
        check_tags(tags)


def test_a_tag_may_hold_a_comma() -> None:
    assert names_of(["a,b"]) == ["a,b"]


def test_the_filter_joins_names_by_commas() -> None:
    joined = check_tag_filter(["a", "b c"])
    assert joined is not None
    assert joined.reveal() == "a,b c"


def test_no_tags_filter_nothing() -> None:
    assert check_tag_filter([]) is None


def test_a_tag_with_a_comma_cannot_be_filtered_for() -> None:
    with pytest.raises(InvalidArgumentError, match="a tag with a comma cannot be filtered for"):
        check_tag_filter(["a", "b,c"])


# --- content, methods, policies ----------------------------------------------------------------


def test_content_is_kept() -> None:
    assert check_stored_content(" ").reveal() == " "


@pytest.mark.parametrize(
    ("value", "fault"), [("", "empty"), (None, "not a string but NoneType"), (b"a", "not a string but bytes")]
)
def test_content_is_text_that_is_not_empty(value: object, fault: str) -> None:
    with pytest.raises(InvalidArgumentError, match=f"^content is {fault}:"):
        check_stored_content(value)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"])
def test_the_usual_methods_are_taken(method: str) -> None:
    assert check_method(method) == method


@pytest.mark.parametrize(
    "method", ["get", "CONNECT", "TRACE", "", "GET ", "GET\r\n", None, b"GET", ["GET"]], ids=repr
)
def test_other_methods_are_refused(method: object) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^method must be one of GET, HEAD"):
        check_method(method)


@pytest.mark.parametrize("version", [None, 0, 1, 2**53 - 1])
def test_a_key_version_is_a_number_that_every_json_reader_keeps(version: int | None) -> None:
    assert check_key_version(version) == version


async def coroutine_function() -> None:
    pass


class Awaited:
    async def __call__(self) -> None:
        pass


@pytest.mark.parametrize(
    "value",
    [7, "print", coroutine_function, functools.partial(coroutine_function), Awaited()],
    ids=["number", "text", "coroutine function", "partial", "object"],
)
def test_what_cannot_be_called_and_be_done_is_no_callback(value: object) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^on_status must be a (plain )?function"):
        check_callback(value, name="on_status")


@pytest.mark.parametrize(("value", "kind"), [(7, "int"), ("print", "str")])
def test_what_cannot_be_called_is_named_by_its_type(value: object, kind: str) -> None:
    with pytest.raises(InvalidArgumentError, match=f"^on_status must be a function, not {kind}$"):
        check_callback(value, name="on_status")


@pytest.mark.parametrize(
    "value",
    [None, print, functools.partial(print), list[object]().append],
    ids=["none", "function", "partial", "method"],
)
def test_a_function_is_a_callback(value: object) -> None:
    assert check_callback(value, name="on_status") is value


@pytest.mark.parametrize("version", [-1, 2**53, True, 1.0, "1", ""], ids=repr)
def test_nothing_else_is_a_key_version(version: object) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^key_version must be"):
        check_key_version(version)


@pytest.mark.parametrize("value", [True, False])
def test_a_flag_is_true_or_false(value: bool) -> None:
    assert check_flag(value, name="wait") is value


@pytest.mark.parametrize("value", [None, 0, 1, "yes", math.nan], ids=repr)
def test_nothing_else_is_a_flag(value: object) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^wait must be True or False$"):
        check_flag(value, name="wait")


@pytest.mark.parametrize("key", [None, "!", "order-7", "k" * 255])
def test_an_idempotency_key_of_the_callers_own_is_kept(key: str | None) -> None:
    assert check_idempotency_key(key) == key


@pytest.mark.parametrize("key", ["", "order 7", "order\n7", "ä", "k" * 256, 7, b"order-7"])
def test_an_idempotency_key_that_no_header_field_carries_is_refused(key: object) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^idempotency_key must be a string of 1 to 255 visible"):
        check_idempotency_key(key)


# --- masks, and parameters ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "mask",
    ["***", "*", "****************", "Secret('***')", 'Secret("***")', "\u2022\u2022\u2022\u2022", " *** "],
)
@pytest.mark.parametrize("wrap", [str, Secret])
def test_a_masked_secret_that_is_passed_back_is_named(mask: str, wrap: Callable[[str], object]) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^memory_key is masked.*reveal\(\)"):
        check_secret_text(wrap(mask), name="memory_key")


@pytest.mark.parametrize("text", ["**a", "Secret", "a***", "Secret('a')"])
def test_what_only_holds_asterisks_is_no_mask(text: str) -> None:
    assert check_secret_text(text, name="code").reveal() == text


@pytest.mark.parametrize(("params", "read"), [(None, {}), ({}, {}), ({"limit": 1}, {"limit": 1})])
def test_parameters_are_a_mapping_or_none(params: object, read: dict[str, object]) -> None:
    assert check_params(params) == read


@pytest.mark.parametrize("params", [[("a", 1)], "a=1", 7, Secret("a"), {1}], ids=repr)
def test_anything_else_is_no_mapping_of_parameters(params: object) -> None:
    with pytest.raises(InvalidArgumentError, match=f"^params must be a mapping .*{type(params).__name__}$"):
        check_params(params)


def test_a_secret_does_not_go_into_an_address() -> None:
    with pytest.raises(InvalidArgumentError, match=r"^params must not hold a Secret"):
        check_params({"key": Secret("a")})


@pytest.mark.parametrize("name", [1, b"a", None], ids=repr)
def test_names_of_parameters_are_text(name: object) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^each name in params must be a string"):
        check_params({name: 1})
