"""Renders pages, with the headers that protect them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from memoram_local.clock import from_micros

if TYPE_CHECKING:
    from memoram_local.store.accounts import Account

_FOLDER = Path(__file__).parent

STATIC_FOLDER = _FOLDER / "static"


class Pages:
    """The templates of one platform."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(_FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters["moment"] = _moment

    def render(
        self,
        template: str,
        *,
        account: Account | None = None,
        status: int = 200,
        form_targets: str = "",
        **context: object,
    ) -> HTMLResponse:
        """A page.

        Args:
            template: The template's file name.
            account: Who is signed in, for the page's head.
            status: The HTTP status.
            form_targets: Content-Security-Policy sources, beside this site, that its forms may lead to.
            **context: What the template shows.
        """
        content = self._environment.get_template(template).render(account=account, **context)
        return HTMLResponse(content, status, headers=_headers(form_targets))

    def error(self, status: int, message: str) -> HTMLResponse:
        """A page that says what went wrong."""
        return self.render("error.html", status=status, message=message)


def see_other(location: str, *, status: int = 303) -> Response:
    """Go on with GET at another address, which must be a valid URI reference."""
    return Response(status_code=status, headers={"location": location, "cache-control": "no-store"})


def _headers(form_targets: str) -> dict[str, str]:
    form_action = f"'self' {form_targets}".rstrip()
    return {
        "cache-control": "no-store",
        "content-security-policy": (
            "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
            f"form-action {form_action}"
        ),
        # Not no-referrer: browsers would then send `Origin: null` with this site's own forms.
        "referrer-policy": "same-origin",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "cross-origin-resource-policy": "same-origin",
    }


def _moment(micros: int) -> str:
    return from_micros(micros).strftime("%d %B %Y, %H:%M UTC")
