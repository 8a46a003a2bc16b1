"""Form fields, as browsers and OAuth clients send them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.requests import Request


class Fields:
    """The fields of a form or query. A field without a value counts as left out (RFC 6749 section 3.1).

    Attributes:
        repeated: Names that occur more than once.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._values: dict[str, str] = {}
        seen: set[str] = set()
        repeated: set[str] = set()
        for name, value in pairs:
            if name in seen:
                repeated.add(name)
            elif value:
                self._values[name] = value
            seen.add(name)
        self.repeated = frozenset(repeated)

    def get(self, name: str) -> str | None:
        """The value of a field; None when it is left out."""
        return self._values.get(name)

    def text(self, name: str) -> str:
        """The value of a field; empty when it is left out."""
        return self._values.get(name, "")


async def read_form(request: Request) -> Fields:
    """The fields of a request's form; none when it carries no form. Uploaded files are ignored."""
    async with request.form() as form:
        return Fields((name, value) for name, value in form.multi_items() if isinstance(value, str))
