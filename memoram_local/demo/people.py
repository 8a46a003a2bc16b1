"""What people do in a browser: fill in the platform's own forms and press their buttons."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import httpx

from memoram_async import Secret
from memoram_local.demo.pages import read_page

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from memoram_local.demo.pages import Form, Page

MOMENT: Final = 1.0
"""Seconds after which a person who is asked for access says yes."""

_GLANCE: Final = 0.2  # seconds between two looks at the dashboard
_PATIENCE: Final = 30.0  # seconds for a page to load


class PageError(Exception):
    """A page of the platform did not do what it was expected to."""


@dataclass(frozen=True, slots=True)
class App:
    """An application as the portal shows it once.

    Attributes:
        api_key: The developer API key.
        client_id: For OAuth.
        client_secret: For OAuth.
        redirect_uri: Where users come back to.
    """

    api_key: Secret
    client_id: str
    client_secret: Secret
    redirect_uri: str


class Person:
    """Somebody with a browser and an account of their own.

    Attributes:
        email: The account's email address.
        password: The account's password.
    """

    def __init__(self, url: str, *, email: str) -> None:
        self.email = email
        self.password = Secret(secrets.token_urlsafe(9))
        self._url = url
        # Redirects are read, not followed: one of them leads to the application.
        self._browser = httpx.Client(
            base_url=url, headers={"origin": url}, timeout=_PATIENCE, follow_redirects=False, trust_env=False
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._browser.close()

    def sign_up(self) -> None:
        """Open the account; the browser is signed in afterwards."""
        form = _form(self._open("/signup"), "/signup", path="/signup")
        answer = self._submit(form, {"email": self.email, "password": self.password.reveal()})
        _expect(answer, 303, read_page(answer.text))

    def register_app(self, *, name: str, redirect_uri: str) -> App:
        """Register an application on the portal, and copy what is shown once."""
        form = _form(self._open("/portal"), "/portal/apps", path="/portal")
        answer = self._submit(form, {"name": name, "redirect_uris": redirect_uri})
        _expect(answer, 303, read_page(answer.text))
        texts = self._open(answer.headers["location"]).texts
        return App(
            api_key=Secret(texts["api-key"]),
            client_id=texts["client-id"],
            client_secret=Secret(texts["client-secret"]),
            redirect_uri=redirect_uri,
        )

    def consent(self, authorization_url: str) -> str:
        """Allow what an application asks for on the consent page.

        Returns:
            The URL at which the browser arrives at the application.
        """
        path = "/oauth/authorize"
        form = _form(self._open(authorization_url), path, path=path)
        answer = self._submit(form, press=("decision", "allow"))
        _expect(answer, 303)
        return answer.headers["location"]

    def undecided(self) -> list[Form]:
        """The forms with which the dashboard offers to approve a request."""
        forms = self._open("/dashboard").forms
        return [form for form in forms if form.action.endswith("/approve")]

    def approve(self) -> None:
        """Press the button of each request that waits on the dashboard."""
        for form in self.undecided():
            _expect(self._submit(form), 303)

    def _open(self, url: str) -> Page:
        answer = self._send("GET", url)
        page = read_page(answer.text)
        _expect(answer, 200, page)
        return page

    def _submit(
        self, form: Form, values: Mapping[str, str] | None = None, *, press: tuple[str, str] | None = None
    ) -> httpx.Response:
        data = {**form.fields, **(values or {})}
        if press is not None:
            if press not in form.buttons:
                raise PageError(f"the form for {form.action} has no button {press[1]!r}")
            data[press[0]] = press[1]
        return self._send("POST", form.action, data=data)

    def _send(self, method: str, url: str, *, data: dict[str, str] | None = None) -> httpx.Response:
        fault: str
        try:
            return self._browser.request(method, url, data=data)
        except httpx.HTTPError as error:
            fault = type(error).__name__
        raise PageError(f"the page {urlsplit(url).path} of the platform cannot be reached ({fault})")


class Approver:
    """A user who looks at the dashboard from time to time, and approves a moment after being asked."""

    def __init__(self, user: Person, *, after: float = MOMENT) -> None:
        self._user = user
        self._after = after
        self._stop = threading.Event()
        self._failure: PageError | None = None
        self._thread = threading.Thread(target=self._run, name="memoram-demo-user", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_exception: object) -> None:
        self._stop.set()
        self._thread.join()
        # What went wrong on the dashboard is the reason for a wait that was in vain.
        if self._failure is not None and (kind is None or issubclass(kind, Exception)):
            raise self._failure

    def _run(self) -> None:
        try:
            while not self._user.undecided():
                if self._stop.wait(_GLANCE):
                    return
            if not self._stop.wait(self._after):
                self._user.approve()
        except PageError as error:
            self._failure = error


def status_of(url: str) -> int:
    """The status with which a resource answers somebody without any token."""
    try:
        return httpx.get(url, trust_env=False, timeout=_PATIENCE).status_code
    except httpx.HTTPError as error:
        fault = type(error).__name__
    raise PageError(f"{urlsplit(url).path} of the platform cannot be reached ({fault})")


def _form(page: Page, action: str, *, path: str) -> Form:
    for form in page.forms:
        if form.action == action:
            return form
    raise PageError(f"the page {path} has no form for {action}")


def _expect(answer: httpx.Response, status: int, page: Page | None = None) -> None:
    if answer.status_code != status:
        problem = page.texts.get("problem", "") if page is not None else ""
        what = f"the page {answer.request.url.path} answered {answer.status_code} instead of {status}"
        raise PageError(f"{what}. {problem}" if problem else what)
