"""Pages for signing up, in and out."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from anyio import to_thread

from memoram_local.errors import RegistrationError
from memoram_local.http.forms import read_form
from memoram_local.http.routing import resource
from memoram_local.services.registration import SHORTEST_PASSWORD, check_password, open_account
from memoram_local.web.pages import see_other
from memoram_local.web.visitors import address_of, local_path

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from memoram_local.services.services import Services
    from memoram_local.web.pages import Pages
    from memoram_local.web.visitors import Visitors


class AccountPages:
    """The home page, and who one is."""

    def __init__(self, services: Services, pages: Pages, visitors: Visitors) -> None:
        self._services = services
        self._pages = pages
        self._visitors = visitors

    def routes(self) -> list[Route]:
        """The routes of these pages."""
        return [
            resource("/", get=self.home),
            resource("/signup", get=self.show_sign_up, post=self.sign_up),
            resource("/signin", get=self.show_sign_in, post=self.sign_in),
            resource("/signout", post=self.sign_out),
        ]

    async def home(self, request: Request) -> Response:
        """Where everything is."""
        account = await self._visitors.account(request)
        return self._pages.render("home.html", request=request, account=account)

    async def show_sign_up(self, request: Request) -> Response:
        """An empty form for a new account."""
        return self._form("signup.html", then=request.query_params.get("next"))

    async def show_sign_in(self, request: Request) -> Response:
        """An empty form for email address and password."""
        return self._form("signin.html", then=request.query_params.get("next"))

    async def sign_up(self, request: Request) -> Response:
        """Open an account and sign in."""
        fields = await read_form(request)
        email, then = fields.text("email"), fields.get("next")
        work = partial(open_account, self._services, email=email, password=fields.text("password"))
        try:
            account, _ = await to_thread.run_sync(work)
        except RegistrationError as error:
            return self._form("signup.html", then=then, email=email, problem=str(error))
        answer = self._pages.done(request, local_path(then), "Your account is open, and you are signed in.")
        await self._visitors.sign_in(answer, request, account)
        return answer

    async def sign_in(self, request: Request) -> Response:
        """Check email address and password."""
        fields = await read_form(request)
        email, then = fields.text("email"), fields.get("next")
        work = partial(
            check_password,
            self._services,
            email=email,
            password=fields.text("password"),
            address=address_of(request),
        )
        account = await to_thread.run_sync(work)
        if account is None:
            problem = "No account has this email address and password."
            return self._form("signin.html", then=then, email=email, problem=problem)
        answer = see_other(local_path(then))
        await self._visitors.sign_in(answer, request, account)
        return answer

    async def sign_out(self, request: Request) -> Response:
        """Forget who it was."""
        answer = self._pages.done(request, "/", "You are signed out.")
        await self._visitors.sign_out(answer, request)
        return answer

    def _form(self, template: str, *, then: str | None, email: str = "", problem: str = "") -> Response:
        return self._pages.render(
            template,
            status=400 if problem else 200,
            then=then or "",
            email=email,
            problem=problem,
            shortest_password=SHORTEST_PASSWORD,
        )
