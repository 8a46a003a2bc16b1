"""Reading pages of memories with the package `msgspec`, where it is installed; see `blob_pages`.

It decodes from bytes into structs, whose members become those of drafts: to fill attrs objects by itself
takes it longer. Of what JSON or the contract leave open it accepts less than the way in Python, never more,
and never another value:

-   times must have a zone (Python takes those without for UTC);
-   members that the contract does not have it would pass over, whatever their bytes are. It refuses them,
    until a page shows that the service sends some; from then on the text of every page is checked first.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, Final, TypeAlias, TypeVar, cast, final

from memoram_async.core.dates import standard_datetime
from memoram_async.models.drafts import WIRE_MEMBERS, BlobDraft, MemoryDraft
from memoram_async.models.memory import MemoryBlob

D = TypeVar("D", BlobDraft, MemoryDraft)

PageMembers: TypeAlias = tuple[list[D], str | None, int | None]
_Decode: TypeAlias = Callable[[bytes], Any]

_NAMES: Final = ("tags", "tag_ids")
_NUMBERS: Final = ("importance", "confidence")
_TIMES: Final = ("created_at", "updated_at")


def read_quickly(content: bytes, kind: type[D], *, user_id: str) -> PageMembers[D] | None:
    """The drafts, cursor and total of a page; None where `msgspec` is missing or there is anything odd."""
    decoder = _decoder()
    page = None if decoder is None else decoder.decode(content)
    if page is None:
        return None
    is_blob = kind is BlobDraft
    make = object.__new__
    drafts: list[D] = []
    for found in page.memoryBlobs:
        owner = found.user_id
        if owner != user_id and owner is not None:
            return None
        draft: Any = make(kind)
        draft.info = None
        draft.error = None
        draft.id = found.id
        draft.content = found.content
        draft.user_id = owner
        draft.title = found.title
        draft.summary = found.summary
        draft.tags = found.tags
        draft.tag_ids = found.tag_ids
        draft.importance = found.importance
        draft.confidence = found.confidence
        draft.source = found.source
        draft.created_at = found.created_at
        draft.updated_at = found.updated_at
        if is_blob:
            draft.__class__ = MemoryBlob
        drafts.append(draft)
    return drafts, page.next_cursor, page.total


@final
class _Decoder:
    """Decodes pages into structs."""

    __slots__ = ("_decode_all", "_decode_known", "_unknown_members")

    def __init__(self, decode_known: _Decode, decode_all: _Decode) -> None:
        self._decode_known = decode_known
        self._decode_all = decode_all
        self._unknown_members = False

    def decode(self, content: bytes) -> Any:
        """The struct of a page, or None."""
        if not self._unknown_members:
            try:
                return self._decode_known(content)
            except (ValueError, RecursionError):
                pass
        try:
            content.decode()
            page = self._decode_all(content)
        except (ValueError, RecursionError):
            return None
        self._unknown_members = True
        return page


@cache
def _decoder() -> _Decoder | None:
    """The decoder, made when it is first needed; None where `msgspec` is missing."""
    try:
        import msgspec  # noqa: PLC0415 - optional, and not worth its time before there is a page to read
    except ImportError:
        return None
    moment: Any = Annotated[standard_datetime(), msgspec.Meta(tz=True)]
    members: dict[str, tuple[Any, ...]] = dict.fromkeys(WIRE_MEMBERS, (str | None, None))
    members["id"] = (str,)
    members.update(dict.fromkeys(_NAMES, (tuple[str, ...], ())))
    members.update(dict.fromkeys(_NUMBERS, (float | None, None)))
    members.update(dict.fromkeys(_TIMES, (moment | None, None)))
    fields = [(name, *member) for name, member in members.items()]

    def decode(*, forbid: bool) -> _Decode:
        # Structs can be part of no cycle, and are gone when their page is read: the collector need not look.
        blob = msgspec.defstruct("_Blob", fields, gc=False, forbid_unknown_fields=forbid)
        blobs: Any = list[blob]  # type: ignore[valid-type]  # made above
        page = msgspec.defstruct(
            "_Page",
            [("memoryBlobs", blobs), ("next_cursor", str | None, None), ("total", int | None, None)],
            forbid_unknown_fields=forbid,
        )
        return cast("_Decode", msgspec.json.Decoder(page).decode)

    return _Decoder(decode(forbid=True), decode(forbid=False))
