"""What a person does in a browser: sign in, read the consent page, press a button."""

from __future__ import annotations

import contextlib
import ssl
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.outside.stage import Stage


class Browser:
    """Somebody who is signed in."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def decide(self, address: str, decision: str = "allow") -> str:
        """Open an authorization request and decide.

        Returns:
            Where the application sent the browser back to.
        """
        page = self._http.get(address)
        assert page.status_code == 200, page.text
        form = _ConsentForm()
        form.feed(page.text)
        answer = self._http.post("/oauth/authorize", data={**form.fields, "decision": decision})
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]


@contextlib.contextmanager
def signed_in(stage: Stage) -> Generator[Browser]:
    """The browser of the stage's user."""
    no_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with httpx.Client(base_url=stage.server.url, verify=no_tls, trust_env=False) as http:
        answer = http.post("/signin", data={"email": stage.user.email, "password": "correct horse"})
        assert answer.status_code == 303, answer.text
        yield Browser(http)


class _ConsentForm(HTMLParser):
    """Gathers the hidden fields of the form that leads to the authorization endpoint."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self._is_inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "form":
            self._is_inside = values.get("action") == "/oauth/authorize"
        if self._is_inside and tag == "input" and values.get("type") == "hidden":
            self.fields[values["name"] or ""] = values.get("value") or ""
