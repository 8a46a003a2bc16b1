"""A value that can be used but not shown."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import pprint
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import attrs
import pytest

from memoram_async._lazy import resource
from memoram_async.core.secret import Secret, Unshareable, conceal, hidden, out_of_sight, reveal
from memoram_async.core.unset import UNSET

if TYPE_CHECKING:
    from collections.abc import Callable

CANARY = "canary-value"
SECRET = Secret(CANARY)


@dataclass
class Holder:
    secret: Secret


def test_it_can_be_used() -> None:
    assert SECRET.reveal() == CANARY


SHOWN: dict[str, Callable[[], str]] = {
    "repr": lambda: repr(SECRET),
    "str": lambda: str(SECRET),
    "f-string": lambda: f"{SECRET}",
    "conversion": lambda: f"{SECRET!r:>20} {SECRET!s} {SECRET!a}",
    "format": lambda: "{:^30}".format(SECRET),  # noqa: UP032 - it is format that is tried
    "percent": lambda: "%s %r" % (SECRET, SECRET),  # noqa: UP031 - it is the operator that is tried
    "container": lambda: repr([SECRET, {"a": (SECRET,)}]),
    "dataclass": lambda: repr(Holder(SECRET)),
    "pprint": lambda: pprint.pformat(Holder(SECRET)),
    "exception": lambda: repr(ValueError(SECRET)),
    "json by default": lambda: json.dumps({"a": SECRET}, default=str),
    "dir": lambda: repr(dir(SECRET)),
}


@pytest.mark.parametrize("show", SHOWN.values(), ids=SHOWN.keys())
def test_nothing_shows_it(show: Callable[[], str]) -> None:
    assert CANARY not in show()


def test_it_shows_that_something_is_there() -> None:
    assert repr(SECRET) == str(SECRET) == f"{SECRET}" == "Secret('***')"


def test_a_format_applies_to_what_is_shown() -> None:
    assert f"{SECRET:>15}" == "  Secret('***')"


def test_a_log_line_does_not_show_it(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        logging.getLogger("somebody").info("the key is %s, %r", SECRET, SECRET)
    assert "Secret('***')" in caplog.text
    assert CANARY not in caplog.text


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_it_cannot_be_pickled(protocol: int) -> None:
    with pytest.raises(TypeError, match=r"^Secret can be neither pickled nor copied"):
        pickle.dumps(SECRET, protocol)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_it_cannot_be_copied(duplicate: Callable[[Secret], Secret]) -> None:
    with pytest.raises(TypeError, match="neither pickled nor copied"):
        duplicate(SECRET)


def test_it_cannot_be_written_as_json() -> None:
    with pytest.raises(TypeError):
        json.dumps(SECRET)


def test_its_attributes_cannot_be_listed() -> None:
    with pytest.raises(TypeError):
        vars(SECRET)


def test_equality_tells_nothing_about_values() -> None:
    assert Secret(CANARY) != Secret(CANARY)
    assert SECRET == SECRET  # noqa: PLR0124 - identity is what is tried
    assert cast("object", CANARY) != SECRET


def test_its_hash_tells_nothing_about_its_value() -> None:
    assert hash(SECRET) != hash(CANARY)
    assert len({Secret(CANARY), Secret(CANARY)}) == 2


def test_attrs_leaves_it_wrapped() -> None:
    @attrs.frozen
    class Settings:
        secret: Secret

    assert attrs.asdict(Settings(SECRET)) == {"secret": SECRET}


def test_plain_and_wrapped_values_are_revealed_alike() -> None:
    assert reveal(CANARY) == reveal(SECRET) == CANARY


def test_a_value_can_be_wrapped_before_it_is_checked() -> None:
    wrapped = hidden(CANARY)
    assert wrapped is not None
    assert wrapped.reveal() == CANARY


def test_a_wrapped_value_is_not_wrapped_again() -> None:
    assert hidden(SECRET) is SECRET


def test_a_text_can_be_concealed() -> None:
    assert conceal(CANARY).reveal() == CANARY


def test_a_concealed_text_is_not_concealed_again() -> None:
    assert conceal(SECRET) is SECRET


def test_nothing_stays_nothing() -> None:
    assert hidden(None) is None
    assert out_of_sight(None) is None


def test_a_users_words_go_out_of_sight() -> None:
    words = cast("object", out_of_sight(CANARY))
    assert isinstance(words, Secret)
    assert words.reveal() == CANARY
    assert out_of_sight(SECRET) is SECRET


def test_an_argument_that_was_not_given_is_no_word() -> None:
    assert out_of_sight(UNSET) is UNSET


class Client(Unshareable):
    """As users would derive from one."""

    tags: str

    @resource
    def oauth(self) -> str:
        """A part."""
        raise AttributeError  # what it is made of is not there

    def __init__(self) -> None:
        """Make it without the attributes that the SDK sets."""


@pytest.mark.parametrize("take", [pickle.dumps, copy.copy, copy.deepcopy])
def test_what_holds_connections_is_neither_pickled_nor_copied(take: Callable[[object], object]) -> None:
    with pytest.raises(TypeError, match=r"^Client holds keys and connections .* make or open one"):
        take(Client())


@pytest.mark.parametrize("name", ["tags", "oauth", "_family", "_async", "_store_options"])
def test_what_was_never_made_says_so(name: str) -> None:
    with pytest.raises(AttributeError, match=r"never made, if .* super\(\)\.__init__\(\)"):
        getattr(Client(), name)


def test_an_attribute_that_does_not_exist_is_no_more_than_that() -> None:
    for name in ("other", "__other"):
        with pytest.raises(AttributeError, match=f"^'Client' object has no attribute '{name}'$"):
            getattr(Client(), name)
