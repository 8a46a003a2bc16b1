"""The platform on a real socket, and somebody who is signed in on its pages."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import httpx

    from memoram_local import User

PASSWORD = "correct horse"


def text_of(page: httpx.Response) -> str:
    """What a page says, without its marks, in one line."""
    body = re.sub(r"<(script|style)\b.*?</\1>", "", page.text, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def shown(page: httpx.Response, element_id: str) -> str:
    """The text of an element."""
    found = re.search(rf'id="{element_id}"[^>]*>([^<]*)<', page.text)
    assert found is not None, page.text
    return unescape(found[1])


def after(http: httpx.Client, answer: httpx.Response) -> httpx.Response:
    """The page that a form leads to."""
    assert answer.status_code == 303, answer.text
    return http.get(answer.headers["location"])


def word_of(http: httpx.Client, answer: httpx.Response) -> str:
    """What the page after a form says was done."""
    found = re.search(r'id="word"[^>]*>(.*?)</p>', after(http, answer).text, re.DOTALL)
    assert found is not None
    return unescape(re.sub(r"<[^>]+>", "", found[1]))


def session_of(http: httpx.Client) -> tuple[str, str]:
    """Name and value of the cookie of a session."""
    ((name, value),) = [item for item in http.cookies.items() if item[0].startswith("memoram_session_")]
    return name, value


def sign_in(http: httpx.Client, user: User) -> None:
    answer = http.post("/signin", data={"email": user.email, "password": PASSWORD})
    assert answer.status_code == 303


@pytest.fixture
def browser(http: httpx.Client, user: User) -> httpx.Client:
    """The user's browser."""
    sign_in(http, user)
    return http


def register(http: httpx.Client, name: str = "Diary", redirect_uris: str = "") -> tuple[str, dict[str, str]]:
    """Register an application on the portal: its path, and its secrets."""
    page = after(http, http.post("/portal/apps", data={"name": name, "redirect_uris": redirect_uris}))
    found = re.search(r'href="(/portal/apps/\w+)"', page.text)
    assert found is not None, page.text
    return found[1], {key: shown(page, key) for key in ("api-key", "client-id", "client-secret")}
