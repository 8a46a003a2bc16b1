"""An answer's header fields and body, as both runtimes read them."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Final

from memoram_async.core.errors import APIResponseError

LARGEST_ANSWER: Final = 64 * 1024 * 1024
_ENCODINGS: Final = frozenset({"gzip", "x-gzip", "deflate"})
_GZIP_OR_ZLIB: Final = 47
_MOST_MEMBERS: Final = 64  # each one costs a copy of all that follow it
_MOST_ENCODINGS: Final = 4


class Body:
    """An answer's body as it arrives, up to the size that is accepted."""

    def __init__(self, headers: Mapping[str, str], *, status: int) -> None:
        """A body that these header fields announce.

        Raises:
            APIResponseError: It is announced as larger than what is accepted.
        """
        self._chunks: list[bytes] = []
        self._size = 0
        self._named = headers.get("content-encoding", "")
        self._status = status
        length = headers.get("content-length", "")
        if length.isdigit() and int(length[:20]) > LARGEST_ANSWER:
            raise _too_large()

    def add(self, chunk: bytes) -> None:
        """Take in a chunk as it came.

        Raises:
            APIResponseError: The answer is larger than what is accepted.
        """
        self._size += len(chunk)
        if self._size > LARGEST_ANSWER:
            raise _too_large()
        self._chunks.append(chunk)

    def content(self) -> bytes:
        """All of it, decompressed; nothing of an error's that cannot be, for its status says enough.

        Raises:
            APIResponseError: It is in another encoding than was asked for, not in the one that it announces,
                or larger than what is accepted.
        """
        content = b"".join(self._chunks)
        if not content or not self._named:
            return content
        encodings = _encodings(self._named)
        decoded = None if encodings is None else _decode(content, encodings)
        if decoded is not None:
            return decoded
        if self._status >= 300:
            return b""
        fault = (
            "has a content encoding that was not asked for"
            if encodings is None
            else "is not in the content encoding that it announces"
        )
        raise APIResponseError(
            f"the service's answer {fault}: check any proxy on the way", status=self._status
        )


def _encodings(named: str) -> list[str] | None:
    """What was done to a body, in that order (RFC 9110 8.4); None if it was not asked for."""
    members = (member.strip().lower() for member in named.split(","))
    encodings = [member for member in members if member not in {"", "identity"}]
    return encodings if _ENCODINGS.issuperset(encodings) and len(encodings) <= _MOST_ENCODINGS else None


def _decode(content: bytes, encodings: Sequence[str]) -> bytes | None:
    """What was encoded in that order; None if it was not.

    Raises:
        APIResponseError: There is more in it than is accepted.
    """
    for encoding in reversed(encodings):
        decoded = _decompress(content, _GZIP_OR_ZLIB)
        if decoded is None and encoding == "deflate":
            # What many servers call deflate has no zlib header.
            decoded = _decompress(content, -zlib.MAX_WBITS)
        if decoded is None:
            return None
        content = decoded
    return content


def _decompress(raw: bytes, wbits: int) -> bytes | None:
    """All members of a compressed body (RFC 1952 2.2 lets gzip have several); None if it is none.

    Raises:
        APIResponseError: There is more in it than is accepted.
    """
    parts: list[bytes] = []
    room = LARGEST_ANSWER
    while raw and len(parts) < _MOST_MEMBERS:
        decompressor = zlib.decompressobj(wbits=wbits)
        try:
            # One more than there is room for tells a body that fits from one that does not.
            parts.append(decompressor.decompress(raw, room + 1))
        except zlib.error:
            return None
        room -= len(parts[-1])
        if room < 0:
            raise _too_large()
        if not decompressor.eof:
            return None
        raw = decompressor.unused_data.lstrip(b"\0")  # padding, as tar and tape leave it
    return None if raw else b"".join(parts)


def _too_large() -> APIResponseError:
    return APIResponseError(
        f"the service's answer is larger than {LARGEST_ANSWER >> 20} MiB: ask for smaller pages", status=0
    )


def plain_headers(headers: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    """Header fields with their names in lower case; of repeated ones the last, but all encodings.

    Args:
        headers: The fields as they came: `response.headers.raw` of httpx.
    """
    fields = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}
    if "content-encoding" in fields and len(fields) < len(headers):
        named = (value for name, value in headers if name.lower() == b"content-encoding")
        fields["content-encoding"] = b", ".join(named).decode("latin-1")
    return fields
