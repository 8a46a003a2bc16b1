"""Renders pages, with the headers that protect them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from memoram_local.clock import from_micros, iso
from memoram_local.shown_text import visible
from memoram_local.web.cookies import Cookies
from memoram_local.web.handover import HANDOVER_SECONDS, Handover, Word

if TYPE_CHECKING:
    from starlette.requests import Request

    from memoram_local.services.services import Services
    from memoram_local.store.accounts import Account
    from memoram_local.web.assets import Assets

_KILO = 1000


class Pages:
    """The templates of one platform.

    Args:
        assets: The files that they load.
        services: The platform.

    Attributes:
        cookies: What browsers keep for it.
        handover: What a form did, for the page that comes after it.
    """

    def __init__(self, assets: Assets, services: Services) -> None:
        self.cookies = Cookies(services)
        self.handover = Handover(services.clock)
        self._environment = Environment(
            loader=PackageLoader("memoram_local.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters["moment"] = _moment
        self._environment.filters["octets"] = _octets
        self._environment.filters["asset"] = assets.url
        self._environment.filters["name"] = name
        self._environment.filters["visible"] = visible

    def render(
        self,
        template: str,
        *,
        request: Request | None = None,
        account: Account | None = None,
        status: int = 200,
        form_targets: str = "",
        **context: object,
    ) -> HTMLResponse:
        """A page.

        Args:
            template: The template's file name.
            request: What it answers; the word that the browser was given before, if any, shows on it.
            account: Who is signed in, for the page's head.
            status: The HTTP status.
            form_targets: Content-Security-Policy sources, beside this site, that its forms may lead to.
            **context: What the template shows.
        """
        slip = "" if request is None else self.cookies.get(request, "word")
        word = self.handover.get(slip, Word)
        content = self._environment.get_template(template).render(account=account, word=word, **context)
        page = HTMLResponse(content, status, headers=protected(form_targets))
        if request is not None and slip:
            self.cookies.remove(page, request, "word")
        return page

    def done(
        self, request: Request, location: str, text: str | Markup, *, confirmed_seconds: int = 0
    ) -> Response:
        """Go on with GET at another address of this site, whose page says what was done."""
        answer = see_other(location)
        slip = self.handover.put(Word(text, confirmed_seconds))
        self.cookies.put(answer, request, "word", slip, seconds=HANDOVER_SECONDS)
        return answer

    def error(
        self,
        status: int,
        message: str,
        *,
        account: Account | None = None,
        way_on: tuple[str, str] = ("/", "Back to the start"),
    ) -> HTMLResponse:
        """A page that says what went wrong, and with an address and its name where to go on."""
        return self.render("error.html", account=account, status=status, message=message, way_on=way_on)


def see_other(location: str, *, status: int = 303) -> Response:
    """Go on with GET at another address, which must be a valid URI reference."""
    return Response(status_code=status, headers={"location": location, "cache-control": "no-store"})


def protected(form_targets: str = "") -> dict[str, str]:
    """The headers of everything that only the signed-in user's browser may use.

    Args:
        form_targets: Content-Security-Policy sources, beside this site, that forms may lead to.
    """
    form_action = f"'self' {form_targets}".rstrip()
    return {
        "cache-control": "no-store",
        "content-security-policy": (
            "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
            "img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; "
            f"form-action {form_action}"
        ),
        # Not no-referrer: browsers would then send `Origin: null` with this site's own forms.
        "referrer-policy": "same-origin",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
    }


def name(text: str) -> Markup:
    """Text that somebody chose, of characters that can be seen; its direction changes nothing around it."""
    return Markup("<bdi>{}</bdi>").format(visible(text))


def _moment(micros: int) -> Markup:
    shown = from_micros(micros).strftime("%d %B %Y, %H:%M UTC").removeprefix("0")
    return Markup('<time datetime="{}">{}</time>').format(iso(micros), shown)


def _octets(count: int) -> str:
    if count < _KILO:
        return f"{count} bytes"
    return f"{count / _KILO:.1f} kB" if count < _KILO * _KILO else f"{count / _KILO / _KILO:.1f} MB"
