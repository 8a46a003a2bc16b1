"""Texts on a line of a terminal, and pages as the demo reads them."""

from __future__ import annotations

import pytest

from memoram_local.demo.pages import Form, read_page
from memoram_local.demo.report import shown


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("short", "short"),
        ("exactly ten"[:10], "exactly te"),
        ("longer than ten", "longer ..."),
        ("日本語日本語", "日本語..."),
        ("日本語日本", "日本語日本"),
        ("a\x00b\nc", "a\\x00b\\nc"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\u202eabc", "\\u202eabc"),
        ("\ud800", "\\ud800"),
        ("e\u0301" * 10, "e\u0301" * 10),
        ("👩\u200d💻", "👩\u200d💻"),
        ("", ""),
    ],
)
def test_a_text_is_cut_to_a_width_and_cannot_command_the_terminal(text: str, line: str) -> None:
    assert shown(text, columns=10) == line


def test_only_the_beginning_of_a_long_text_is_looked_at() -> None:
    assert shown("x" * 10_000_000, columns=10) == "xxxxxxx..."


def test_forms_and_marked_texts_of_a_page_are_read() -> None:
    page = read_page(
        """<form action="/one"><input type="hidden" name="next" value="/a?b=1&amp;c=2">
        <input id="email" name="email"><textarea name="uris">x\ny</textarea>
        <button name="decision" value="allow">Allow</button><button>Plain</button></form>
        <code id="key">mem_1</code> outside <form method="post" action="/two"></form>"""
    )
    assert page.forms == [
        Form("/one", {"next": "/a?b=1&c=2", "email": "", "uris": "x\ny"}, [("decision", "allow")]),
        Form("/two"),
    ]
    assert page.texts["key"] == "mem_1"
