"""Which characters people can see, and which names look alike."""

from __future__ import annotations

import pytest

from memoram_local.shown_text import hidden_character, look, visible


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("a\nb", "U+000A"),
        ("\x00", "U+0000"),
        ("a\x7f", "U+007F"),
        ("a\x85b", "U+0085"),
        ("Pay\u202elaP", "U+202E"),
        ("a\u2066b\u2069", "U+2066"),
        ("a\u061cb", "U+061C"),
        ("Trip\u200bPlanner", "U+200B"),
        ("Trip\u200dPlanner", "U+200D"),
        ("Trip\u200cPlanner", "U+200C"),
        ("\ufeffTrip", "U+FEFF"),
        ("Trip\u00adPlanner", "U+00AD"),
        ("Trip\u2060Planner", "U+2060"),
        ("Trip\u3164", "U+3164"),
        ("Trip\U000e0041", "U+E0041"),
        ("a\u2028b", "U+2028"),
        ("\ud800", "U+D800"),
        ("💻\u200d", "U+200D"),
    ],
)
def test_what_cannot_be_seen_is_found_and_replaced(text: str, hidden: str) -> None:
    assert hidden_character(text) == hidden
    assert hidden_character(visible(text)) is None
    assert len(visible(text)) == len(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Trip Planner",
        "Ünï çødé",
        "e\u0301",
        "مخطط الرحلات",
        "می\u200cخواهم",  # noqa: RUF001 - Persian is spelt so
        "क्\u200dष",
        "נוח לו",
        "旅行計画",
        "👩🏽\u200d💻👨\u200d👩\u200d👧\u200d👦🏳\ufe0f\u200d🌈 ❤\ufe0f",
        "\u0601\u0663",
    ],
)
def test_what_languages_and_emoji_are_spelt_with_stays(text: str) -> None:
    assert hidden_character(text) is None
    assert visible(text) == text


@pytest.mark.parametrize(
    "other",
    [
        "trip planner",
        "TRIP  PLANNER",
        "Trip\u00a0Planner",
        "\uff34\uff52\uff49\uff50 Planner",
        "Trip Planner\ufe0f",
        "Trip\u200b Planner",
    ],
)
def test_names_that_people_take_for_one_look_alike(other: str) -> None:
    assert look(other) == look("Trip Planner")


def test_other_names_do_not() -> None:
    assert len({look(name) for name in ("Trip Planner", "Trip Planer", "TripPlanner")}) == 3
