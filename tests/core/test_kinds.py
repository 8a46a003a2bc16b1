"""What kind of thing an argument must be, and what its error says."""

from __future__ import annotations

import pytest

from memoram_async.core.errors import ConfigurationError, InvalidArgumentError
from memoram_async.core.kinds import (
    check_entry,
    check_function,
    check_methods,
    check_swap,
    check_text,
    flag_misfit,
    function_misfit,
    is_text,
    limit_misfit,
    misfit,
    text_misfit,
)


def test_what_fits_is_no_error() -> None:
    assert misfit(1, (int, str), name="x", wanted="a number or text") is None
    assert text_misfit("", name="x") is None
    assert text_misfit(None, name="x", optional=True) is None
    assert flag_misfit(False, name="x") is None
    assert function_misfit(len, name="x", wanted="a function") is None
    assert is_text("")
    assert not is_text(b"")


def said(error: InvalidArgumentError | None) -> str:
    """What an error says."""
    assert error is not None
    return str(error)


def test_what_does_not_fit_is_named_and_not_shown() -> None:
    assert said(misfit("key", int, name="x", wanted="a number")) == "x must be a number, not str"
    assert said(text_misfit(None, name="x")) == "x must be a string, not NoneType"
    assert said(text_misfit(7, name="x", optional=True)) == "x must be a string or None, not int"
    assert said(flag_misfit(1, name="x")) == "x must be True or False, not int"
    assert said(function_misfit("f", name="x", wanted="a function")) == "x must be a function, not str"


@pytest.mark.parametrize("size", [1, 2, 2**63 - 1])
def test_a_limit_is_a_whole_number(size: int) -> None:
    assert limit_misfit(size, name="x") is None


@pytest.mark.parametrize("size", [0, -1, True, 1.0, "1", None, 2**63, float("nan")])
def test_anything_else_is_no_limit(size: object) -> None:
    assert said(limit_misfit(size, name="x")) == "x must be a whole number of at least 1"


def test_text_is_handed_back() -> None:
    assert check_text("a", name="x") == "a"
    with pytest.raises(InvalidArgumentError, match=r"^x must be a string, not bytes$"):
        check_text(b"a", name="x")
    for surrogate in ("a\ud800", "\udfff"):
        with pytest.raises(InvalidArgumentError, match=r"^x must be a string, without lone surrogates$"):
            check_text(surrogate, name="x")


def test_a_function_is_called_later() -> None:
    check_function(len, name="x", wanted="a function")
    with pytest.raises(InvalidArgumentError, match=r"^x must be a function, not int$"):
        check_function(7, name="x", wanted="a function")


def test_a_store_keeps_bytes_for_a_time() -> None:
    check_entry("name")
    check_entry("name", b"value", ttl=-1)
    with pytest.raises(InvalidArgumentError, match=r"^name must be a string, not int$"):
        check_entry(7)
    with pytest.raises(InvalidArgumentError, match=r"^value must be bytes, not str$"):
        check_entry("name", "value")
    with pytest.raises(InvalidArgumentError, match=r"^ttl must be a number of seconds, not NoneType$"):
        check_entry("name", b"value", ttl=None)
    with pytest.raises(InvalidArgumentError, match=r"^ttl must be finite"):
        check_entry("name", b"value", ttl=float("nan"))


def test_a_store_swaps_bytes_or_nothing() -> None:
    check_swap("name", None, None, None)
    check_swap("name", b"old", b"new", 1.5)
    with pytest.raises(InvalidArgumentError, match=r"^expected must be bytes or None, not str$"):
        check_swap("name", "old", b"new", None)
    with pytest.raises(InvalidArgumentError, match=r"^value must be bytes, not str$"):
        check_swap("name", b"old", "new", None)
    with pytest.raises(InvalidArgumentError, match=r"^name must be a string, not NoneType$"):
        check_swap(None, b"old", None, None)
    with pytest.raises(InvalidArgumentError, match=r"^ttl must be a number of seconds, not str$"):
        check_swap("name", b"old", None, "1")


def test_an_object_has_the_methods_that_will_be_called() -> None:
    check_methods("text", ("upper", "lower"), name="x", wanted="text")
    with pytest.raises(ConfigurationError, match=r"^x must be text: pass an object, not the class str$"):
        check_methods(str, ("upper",), name="x", wanted="text")
    with pytest.raises(ConfigurationError, match=r"^x must be text, and int has no method upper$"):
        check_methods(7, ("bit_length", "upper"), name="x", wanted="text")
    with pytest.raises(ConfigurationError, match=r"^x must be text, and int has no method real$"):
        check_methods(7, ("real",), name="x", wanted="text")
