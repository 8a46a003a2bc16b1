"""Reading pages of memories with the package `msgspec`, where it is installed; see `blob_pages`.

It decodes from bytes into drafts without anything in between. Of what JSON or the contract leave open it
accepts less than the way in Python, never more, and never another value:

-   the members of drafts that are ours are kept out of its sight;
-   times must have a zone (Python takes those without for UTC);
-   text that is not UTF-8 it would pass over where nobody reads it, so it gets to see none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Annotated, Any, Final, TypeAlias, TypeVar, cast

import attrs

from memoram_async.core.dates import standard_datetime
from memoram_async.models.drafts import WIRE_MEMBERS, BlobDraft, MemoryDraft
from memoram_async.models.memory import MemoryBlob

D = TypeVar("D", BlobDraft, MemoryDraft)

PageMembers: TypeAlias = tuple[list[D], str | None, int | None]

_NAMES: Final = ("tags", "tag_ids")
_NUMBERS: Final = ("importance", "confidence")
_TIMES: Final = ("created_at", "updated_at")


def read_quickly(content: bytes, kind: type[D], *, user_id: str) -> PageMembers[D] | None:
    """The drafts, cursor and total of a page; None where `msgspec` is missing or there is anything odd."""
    decode = _memory_decoder() if kind is MemoryDraft else _blob_decoder()
    if decode is None or not (content.isascii() or _is_utf8(content)):
        return None
    try:
        page = decode(content)
    except (ValueError, RecursionError):
        return None
    drafts = page.memoryBlobs
    for draft in drafts:
        if draft.user_id != user_id and draft.user_id is not None:
            return None
        draft.info = None
        draft.error = None
    if kind is BlobDraft:
        for draft in drafts:
            draft.__class__ = MemoryBlob
    return drafts, page.next_cursor, page.total


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


@cache
def _blob_decoder() -> Callable[[bytes], Any] | None:
    return _make_decoder(BlobDraft)


@cache
def _memory_decoder() -> Callable[[bytes], Any] | None:
    return _make_decoder(MemoryDraft)


def _make_decoder(kind: type[BlobDraft | MemoryDraft]) -> Callable[[bytes], Any] | None:
    """What decodes a page, made when it is first needed; None where `msgspec` is missing."""
    try:
        import msgspec  # noqa: PLC0415 - optional, and not worth its time before there is a page to read
    except ImportError:
        return None
    members: dict[str, Any] = dict.fromkeys(WIRE_MEMBERS, str | None)
    members["id"] = str
    members.update(dict.fromkeys(_NAMES, tuple[str, ...]))
    members.update(dict.fromkeys(_NUMBERS, float | None))
    moment: Any = Annotated[standard_datetime(), msgspec.Meta(tz=True)]
    members.update(dict.fromkeys(_TIMES, moment | None))
    # The layout of the draft, and to msgspec the attributes of the wire alone.
    wire = type(
        f"_Wire{kind.__name__}",
        (kind,),
        {
            "__slots__": (),
            "__annotations__": members,
            "__attrs_attrs__": tuple(_attributes(kind)),
        },
    )
    drafts: Any = list[wire]  # type: ignore[valid-type]  # made above
    page = msgspec.defstruct(
        "_Page",
        [("memoryBlobs", drafts), ("next_cursor", str | None, None), ("total", int | None, None)],
    )
    return cast("Callable[[bytes], Any]", msgspec.json.Decoder(page).decode)


def _attributes(kind: type[BlobDraft | MemoryDraft]) -> Iterator[attrs.Attribute[Any]]:
    """What `msgspec` takes for the attributes of the class: those of the wire, under their names there."""
    model: type[attrs.AttrsInstance] = kind
    for attribute in attrs.fields(model):
        name = attribute.name.removeprefix("_")
        if name in WIRE_MEMBERS:
            yield attribute.evolve(name=name)
