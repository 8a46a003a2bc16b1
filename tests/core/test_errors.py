"""Errors are plain data in one tree, and travel whole."""

from __future__ import annotations

import copy
import inspect
import pickle
import traceback
from typing import TYPE_CHECKING, Any, cast

import pytest
from pydantic import TypeAdapter, ValidationError

import memoram_async
from memoram_async.core import errors
from memoram_async.core.errors import (
    AccessError,
    APIConnectionError,
    APIResponseError,
    APIStatusError,
    ApprovalRequired,
    ApprovalTimeout,
    ContentError,
    InvalidArgumentError,
    MemoramError,
    RateLimitedError,
    UnknownKeyVersionError,
)
from memoram_async.core.info import ResponseInfo
from memoram_async.core.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS = [
    kind
    for kind in vars(errors).values()
    if inspect.isclass(kind) and issubclass(kind, MemoramError) and kind.__module__ == errors.__name__
]


DETAILS: dict[type[MemoramError], dict[str, Any]] = {
    APIConnectionError: {"sent": True},
    APIStatusError: {"status": 418, "code": "teapot", "request_id": "req-1", "retry_after": 2.5},
    APIResponseError: {"status": 200, "request_id": "req-1"},
    AccessError: {"request_id": "request"},
    ApprovalRequired: {"kind": "approve", "url": "https://dashboard.test"},
    ApprovalTimeout: {"last_status": "pending", "polls": 3, "last_error": None},
    UnknownKeyVersionError: {"version": "7", "available": (1, 2)},
}


def details(kind: type[MemoramError]) -> dict[str, Any]:
    """Values for every attribute that a class declares, its parents' included."""
    return {
        name: value for base in kind.__mro__ for name, value in DETAILS.get(cast("Any", base), {}).items()
    }


def made(kind: type[MemoramError]) -> MemoramError:
    make: Callable[..., MemoramError] = kind
    return make("what to do", **details(kind))


def data(error: MemoramError) -> dict[str, object]:
    return {"type": type(error), "args": error.args, "text": str(error), **vars(error)}


# --- the tree ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_each_error_is_exported(kind: type[MemoramError]) -> None:
    assert getattr(memoram_async, kind.__name__, None) is kind


@pytest.mark.parametrize("kind", KINDS)
def test_each_error_says_what_it_means(kind: type[MemoramError]) -> None:
    assert kind.__doc__
    assert kind.__doc__ not in {base.__doc__ for base in kind.__bases__}


@pytest.mark.parametrize("kind", KINDS)
def test_each_attribute_is_documented(kind: type[MemoramError]) -> None:
    documentation = "".join(base.__doc__ or "" for base in kind.__mro__ if issubclass(base, MemoramError))
    for name in details(kind):
        assert f"{name}:" in documentation or f"`{name}`" in documentation


@pytest.mark.parametrize("kind", [InvalidArgumentError, ContentError])
def test_a_bad_argument_is_a_value_error_as_well(kind: type[MemoramError]) -> None:
    assert issubclass(kind, ValueError)


@pytest.mark.parametrize("kind", KINDS)
def test_no_error_is_one_of_the_operating_systems_by_accident(kind: type[MemoramError]) -> None:
    assert not issubclass(kind, OSError)


# --- what an error carries ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_is_its_message(kind: type[MemoramError]) -> None:
    error = made(kind)
    assert str(error) == error.message == "what to do"
    assert error.args == ("what to do",)


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_carries_its_details(kind: type[MemoramError]) -> None:
    error = made(kind)
    for name, value in details(kind).items():
        assert getattr(error, name) == value


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("protocol", [0, 2, pickle.HIGHEST_PROTOCOL])
def test_an_error_survives_pickling(kind: type[MemoramError], protocol: int) -> None:
    error = made(kind)
    assert data(pickle.loads(pickle.dumps(error, protocol))) == data(error)  # noqa: S301 - our own


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_an_error_can_be_copied(kind: type[MemoramError], duplicate: Callable[[Any], Any]) -> None:
    error = made(kind)
    assert data(duplicate(error)) == data(error)


def test_notes_survive_pickling() -> None:
    error = MemoramError("what to do")
    error.add_note("seen in the nightly run")
    assert pickle.loads(pickle.dumps(error)).__notes__ == ["seen in the nightly run"]  # noqa: S301 - our own


def test_the_services_own_words_do_not_leave_the_process() -> None:
    error = APIStatusError("refused", status=400, server_message=Secret("canary"))
    pickled = pickle.dumps(error)
    assert b"canary" not in pickled
    assert pickle.loads(pickled).server_message is None  # noqa: S301 - our own
    assert error.server_message is not None


def test_the_services_own_words_do_not_leave_inside_another_error_either() -> None:
    inner = RateLimitedError("slow down", status=429, server_message=Secret("canary"))
    outer = ApprovalTimeout("late", request_id="request", last_status=None, polls=1, last_error=inner)
    pickled = pickle.dumps(outer)
    assert b"canary" not in pickled
    assert isinstance(pickle.loads(pickled).last_error, RateLimitedError)  # noqa: S301 - our own


def test_an_error_of_the_users_own_below_ours_survives_pickling() -> None:
    error = OwnError("mine", detail=7)
    assert data(pickle.loads(pickle.dumps(error))) == data(error)  # noqa: S301 - our own


class OwnError(MemoramError):
    """Takes other arguments than its parent."""

    def __init__(self, message: str, *, detail: int) -> None:
        super().__init__(message)
        self.detail = detail


# --- how the call went -------------------------------------------------------------------------

INFO = ResponseInfo(operation="getTag", status=404, request_id="req-1", attempts=2, elapsed=0.5)


def test_an_error_of_no_call_has_no_info() -> None:
    assert MemoramError("what to do").info is None


def test_how_the_call_went_survives_pickling() -> None:
    error = MemoramError("what to do")
    error.info = INFO
    assert pickle.loads(pickle.dumps(error)).info == INFO  # noqa: S301 - our own


def test_a_fresh_error_knows_how_the_call_went() -> None:
    error = MemoramError("what to do")
    error.info = INFO
    assert error.again().info is INFO


# --- sharing one outcome -----------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_fresh_error_has_the_same_data(kind: type[MemoramError]) -> None:
    error = made(kind)
    twin = error.again()
    assert twin is not error
    assert data(twin) == data(error)


def test_a_fresh_error_keeps_the_services_own_words() -> None:
    message = Secret("words")
    assert APIStatusError("refused", status=400, server_message=message).again().server_message is message


def test_a_fresh_error_has_no_history() -> None:
    error = MemoramError("what to do")
    error.add_note("a note for the first one")
    try:
        raise error from ValueError("cause")
    except MemoramError:
        twin = error.again()
    assert (twin.__cause__, twin.__context__, twin.__traceback__) == (None, None, None)
    assert not hasattr(twin, "__notes__")


def test_raising_a_fresh_error_leaves_the_first_ones_traceback_alone() -> None:
    error = MemoramError("what to do")
    with pytest.raises(MemoramError):
        raise error
    length = len(traceback.extract_tb(error.__traceback__))
    for _ in range(3):
        with pytest.raises(MemoramError):
            raise error.again()
    assert len(traceback.extract_tb(error.__traceback__)) == length


@pytest.mark.parametrize("kind", [MemoramError, RateLimitedError, ResponseInfo])
def test_pydantic_takes_objects_of_the_class(kind: Any) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(kind)

    made = object.__new__(kind) if kind is ResponseInfo else kind.__new__(kind, "message")
    assert adapter.validate_python(made) is made
    with pytest.raises(ValidationError, match=kind.__name__):
        adapter.validate_python("something else")
