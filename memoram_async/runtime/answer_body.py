"""An answer's header fields and body, as both runtimes read them."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from typing import Final

from memoram_async.core.errors import APIResponseError

LARGEST_ANSWER: Final = 64 * 1024 * 1024
_ENCODINGS: Final = frozenset({"identity", "gzip", "x-gzip", "deflate"})
_GZIP_OR_ZLIB: Final = 47
_MOST_MEMBERS: Final = 64  # each one costs a copy of all that follow it


class Body:
    """An answer's body as it arrives, up to the size that is accepted."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        """A body that these header fields announce.

        Raises:
            APIResponseError: It is announced as larger than what is accepted, or in an unknown encoding.
        """
        self._chunks: list[bytes] = []
        self._size = 0
        named = headers.get("content-encoding")
        self._encoding = "identity" if named is None else named.strip().lower() or "identity"
        if self._encoding not in _ENCODINGS:
            raise APIResponseError(
                "the service's answer has a content encoding that was not asked for", status=0
            )
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
        """All of it, decompressed.

        Raises:
            APIResponseError: It is not what its encoding says, or larger than what is accepted.
        """
        raw = b"".join(self._chunks)
        if not raw or self._encoding == "identity":
            return raw
        content = _decompress(raw, _GZIP_OR_ZLIB)
        if content is None and self._encoding == "deflate":
            content = _decompress(raw, -zlib.MAX_WBITS)  # what many servers call deflate has no zlib header
        if content is not None:
            return content
        raise APIResponseError("the service's answer is not in the encoding that it announces", status=0)


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


def plain_headers(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Header fields with their names in lower case; of repeated ones, the last.

    Args:
        headers: The fields as they came: `response.headers.raw` of httpx.
    """
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}
