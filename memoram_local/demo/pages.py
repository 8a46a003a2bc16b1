"""Reads the platform's pages: their forms, and the texts that they mark with an id."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass(slots=True)
class Form:
    """A form of a page.

    Attributes:
        action: Where it is sent.
        fields: Its fields as they are when nobody has touched them.
        buttons: Name and value of those buttons that have both.
    """

    action: str
    fields: dict[str, str] = field(default_factory=dict[str, str], repr=False)
    buttons: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])


@dataclass(slots=True)
class Page:
    """A page.

    Attributes:
        forms: Its forms.
        texts: The text of each element that has an id, by the id.
    """

    forms: list[Form] = field(default_factory=list[Form])
    texts: dict[str, str] = field(default_factory=dict[str, str], repr=False)


def read_page(html: str) -> Page:
    """A page from its HTML."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.page


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self._form: Form | None = None
        self._area: str | None = None
        # The id under which text is kept, and the tag that ends it.
        self._marked: tuple[str, str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if self._marked is None and "id" in attributes:
            self._marked = (attributes["id"], tag)
            self.page.texts[attributes["id"]] = ""
        if tag == "form":
            self._form = Form(attributes.get("action", ""))
            self.page.forms.append(self._form)
        elif self._form is not None:
            self._control(self._form, tag, attributes)
        if tag == "input":
            # It has no end tag.
            self._marked = None

    def _control(self, form: Form, tag: str, attributes: dict[str, str]) -> None:
        name = attributes.get("name")
        if name is None:
            return
        if tag == "button":
            form.buttons.append((name, attributes.get("value", "")))
        elif tag in {"input", "textarea"}:
            form.fields[name] = attributes.get("value", "")
            self._area = name if tag == "textarea" else None

    def handle_data(self, data: str) -> None:
        if self._marked is not None:
            self.page.texts[self._marked[0]] += data
        if self._form is not None and self._area is not None:
            self._form.fields[self._area] += data

    def handle_endtag(self, tag: str) -> None:
        if self._marked is not None and self._marked[1] == tag:
            self._marked = None
        if tag == "form":
            self._form = None
        elif tag == "textarea":
            self._area = None
