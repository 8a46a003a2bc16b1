"""The README's handlers for many users, run as they stand, in FastAPI and in Flask."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import attrs
import fastapi
import flask
import httpx
import pytest
from fastapi.responses import RedirectResponse
from fastapi.testclient import TestClient

from memoram_local import MemoramLocal

if TYPE_CHECKING:
    from collections.abc import Iterator

README: Final = Path(__file__).resolve().parents[2] / "README.md"
SITE: Final = "https://app.example"
DASHBOARD: Final = "https://dashboard.example/"


def snippet(first_line: str) -> str:
    """The block of Python in the README whose first line begins so."""
    blocks = re.findall(r"^```python\n(.*?)^```$", README.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    (found,) = [block for block in blocks if block.startswith(first_line)]
    return str(found)


@attrs.frozen
class Visit:
    """What a test does with an application: one browser, signed in as one user.

    Attributes:
        local: The platform.
        get: Opens a page of the application: status, where it leads, and the notes on it.
        home: Where the application goes on after linking.
    """

    local: MemoramLocal
    get: Callable[[str], tuple[int, str, Any]]
    home: str = "/notes"

    def walk(self) -> None:
        """Link an account, decide, read, and lose access."""
        user = self.local.create_user(email="ada@example.com", password="correct horse battery")
        status, where, _ = self.get("/notes")
        assert (status // 100, "/oauth/authorize?" in where) == (3, True)
        query = httpx.URL(where).params
        code = self.local.authorize(
            user_id=user.id,
            client_id=query["client_id"],
            redirect_uri=query["redirect_uri"],
            code_challenge=query["code_challenge"],
        )
        status, where, _ = self.get(f"/callback?code={code}&state={query['state']}")
        assert (status // 100, where) == (3, self.home)
        status, where, _ = self.get("/notes")
        assert (status // 100, where) == (3, DASHBOARD)
        (request,) = self.local.access_requests()
        self.local.approve(request.id)
        assert self.get("/notes") == (200, "", [])


@pytest.fixture
def local(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[MemoramLocal]:
    monkeypatch.chdir(tmp_path)
    with MemoramLocal(password_profile="fast") as local, local.serve() as server:
        app = local.register_app(
            name="Example", redirect_uris=[f"{SITE}{kit}/callback" for kit in ("", "/memoram")]
        )
        for name, value in {
            "API_KEY": app.api_key,
            "BASE_URL": server.api_url,
            "AUTH_URL": server.auth_url,
            "CLIENT_ID": app.client_id,
            "CLIENT_SECRET": app.client_secret,
            "SECRET": "a-secret-of-the-applications-own-of-32-bytes",
            "DASHBOARD_URL": DASHBOARD,
        }.items():
            monkeypatch.setenv(f"MEMORAM_{name}", value)
        yield local


def test_the_handlers_for_fastapi_walk_with_a_user(local: MemoramLocal) -> None:
    app = fastapi.FastAPI()

    async def signed_in() -> str:
        return "ada"

    names: dict[str, Any] = {
        "app": app,
        "Request": fastapi.Request,
        "RedirectResponse": RedirectResponse,
        "SignedIn": Annotated[str, fastapi.Depends(signed_in)],
    }
    exec(snippet("from memoram_async import ApprovalRequired"), names)  # noqa: S102 - the README's own words
    app.router.add_event_handler("shutdown", names["memoram"].aclose)
    with TestClient(app, base_url=SITE, follow_redirects=False) as browser:

        def get(path: str) -> tuple[int, str, Any]:
            answer = browser.get(path)
            read = answer.json() if answer.status_code == 200 else None
            return answer.status_code, answer.headers.get("location", ""), read

        Visit(local, get).walk()


def test_the_ten_lines_walk_with_a_user(local: MemoramLocal) -> None:
    """As above, but that the kit answers with a problem where the user has something to do."""

    async def signed_in() -> str:
        return "ada"

    names: dict[str, Any] = {"signed_in": signed_in}
    code = snippet("from typing import Annotated\nfrom fastapi import")
    assert len([line for line in code.splitlines() if line]) == 10
    exec(code, names)  # noqa: S102 - the README's own words
    with TestClient(names["app"], base_url=SITE, follow_redirects=False) as browser:

        def get(path: str) -> tuple[int, str, Any]:
            answer = browser.get(path.replace("/callback", "/memoram/callback"))
            if answer.status_code == 409:
                where = answer.json()["url"]
                return get(where.removeprefix(SITE)) if where.startswith(SITE) else (303, where, None)
            read = answer.json() if answer.status_code == 200 else None
            return answer.status_code, answer.headers.get("location", ""), read

        Visit(local, get, home="/").walk()


def test_the_handlers_for_flask_walk_with_a_user(local: MemoramLocal) -> None:
    app = flask.Flask("example")
    app.secret_key = "of the session"
    names: dict[str, Any] = {
        "app": app,
        "request": flask.request,
        "session": flask.session,
        "redirect": flask.redirect,
    }
    exec(snippet("from memoram_sync import ApprovalRequired"), names)  # noqa: S102 - the README's own words
    with closing(names["memoram"]), app.test_client() as browser:
        with browser.session_transaction(base_url=SITE) as session:
            session["user"] = "ada"

        def get(path: str) -> tuple[int, str, Any]:
            answer = browser.get(path, base_url=SITE)
            read = answer.json if answer.status_code == 200 else None
            return answer.status_code, answer.headers.get("Location", ""), read

        Visit(local, get).walk()
