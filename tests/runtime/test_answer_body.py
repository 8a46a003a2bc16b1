"""Bodies of answers, in whatever of the agreed encodings they come."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING, Final

import pytest

from memoram_async import APIResponseError
from memoram_async.runtime import answer_body
from memoram_async.runtime.answer_body import Body, plain_headers

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT: Final = b'{"id": "tag_1", "name": "travel"}'


def raw_deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush()


def read(encoding: str | None, *chunks: bytes, status: int = 200) -> bytes:
    body = Body({} if encoding is None else {"content-encoding": encoding}, status=status)
    for chunk in chunks:
        body.add(chunk)
    return body.content()


WAYS: Final = {
    "as it is": (None, TEXT),
    "under an empty encoding": ("", TEXT),
    "under a blank encoding": (" ", TEXT),
    "as it is, said so": ("identity", TEXT),
    "gzip": ("gzip", gzip.compress(TEXT)),
    "gzip by its old name": ("X-GZip", gzip.compress(TEXT)),
    "gzip of two members": ("gzip", gzip.compress(TEXT[:9]) + gzip.compress(TEXT[9:])),
    "gzip of 64 members": ("gzip", b"".join(gzip.compress(TEXT[at : at + 1]) for at in range(len(TEXT)))),
    "gzip and an empty member": ("gzip", gzip.compress(TEXT) + gzip.compress(b"")),
    "gzip with padding": ("gzip", gzip.compress(TEXT) + bytes(8)),
    "gzip in gzip": ("gzip, gzip", gzip.compress(gzip.compress(TEXT))),
    "gzip in deflate": ("gzip,deflate", raw_deflate(gzip.compress(TEXT))),
    "gzip beside what does nothing": ("identity, GZIP,", gzip.compress(TEXT)),
    "deflate": ("deflate", zlib.compress(TEXT)),
    "deflate without a zlib header": ("deflate", raw_deflate(TEXT)),
}


@pytest.mark.parametrize(("encoding", "sent"), WAYS.values(), ids=WAYS.keys())
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_body_is_read_however_it_comes(encoding: str | None, sent: bytes, size: int) -> None:
    chunks = [sent[at : at + size] for at in range(0, len(sent), size)]
    assert read(encoding, *chunks) == TEXT


FAULTS: Final = {
    "no gzip": ("gzip", TEXT),
    "gzip that is cut": ("gzip", gzip.compress(TEXT)[:-1]),
    "a second member that is cut": ("gzip", gzip.compress(TEXT) + gzip.compress(TEXT)[:-1]),
    "something else behind it": ("gzip", gzip.compress(TEXT) + b"something else"),
    "deflate in place of gzip": ("gzip", raw_deflate(TEXT)),
    "more members than anybody needs": ("gzip", gzip.compress(b"") * 65),
    "no deflate": ("deflate", TEXT),
    "deflate that is cut": ("deflate", raw_deflate(TEXT)[:-1]),
    "gzip once in place of twice": ("gzip, gzip", gzip.compress(TEXT)),
}


@pytest.mark.parametrize(("encoding", "sent"), FAULTS.values(), ids=FAULTS.keys())
def test_what_is_not_in_its_encoding_is_an_error(encoding: str, sent: bytes) -> None:
    with pytest.raises(APIResponseError, match="not in the content encoding that it announces"):
        read(encoding, sent)


@pytest.mark.parametrize("encoding", ["br", "gzip, br", "utf-8", "gzip, gzip, gzip, gzip, gzip"])
def test_an_encoding_that_was_not_asked_for_is_an_error(encoding: str) -> None:
    with pytest.raises(APIResponseError, match="not asked for"):
        read(encoding, TEXT)


@pytest.mark.parametrize("encoding", ["br", "gzip"])
def test_an_error_is_known_by_its_status_when_its_body_cannot_be_read(encoding: str) -> None:
    assert read(encoding, TEXT, status=503) == b""


@pytest.mark.parametrize("encoding", ["br", "gzip"])
def test_what_is_empty_needs_no_decoding(encoding: str) -> None:
    assert read(encoding) == b""


def test_repeated_fields_name_all_encodings_in_their_order() -> None:
    once = [(b"A", b"1"), (b"Content-Encoding", b"gzip")]
    assert plain_headers(once) == {"a": "1", "content-encoding": "gzip"}
    twice = [(b"A", b"1"), (b"Content-Encoding", b"deflate"), (b"a", b"2"), (b"content-encoding", b"gzip")]
    assert plain_headers(twice) == {"a": "2", "content-encoding": "deflate, gzip"}


@pytest.mark.parametrize("more", [0, 1])
@pytest.mark.parametrize("members", [1, 3])
@pytest.mark.parametrize(("encoding", "squeeze"), [("gzip", gzip.compress), ("deflate", raw_deflate)])
def test_the_size_limit_holds_for_all_that_is_in_it(
    monkeypatch: pytest.MonkeyPatch, encoding: str, squeeze: Callable[[bytes], bytes], members: int, more: int
) -> None:
    monkeypatch.setattr(answer_body, "LARGEST_ANSWER", 3000)
    sent = squeeze(bytes(3000 // members)) * members + squeeze(bytes(more))
    if more:
        with pytest.raises(APIResponseError, match="larger than"):
            read(encoding, sent)
    else:
        assert read(encoding, sent) == bytes(3000)
