"""Reading memories: pages into objects, content into text, and whole lists.

Every figure is the median of the ratios of shuffled, interleaved rounds in one process, by CPU time except
where it says wall. The floor of a page is what the fastest packages do without any object: orjson, pybase64
and a reused AESGCM. The plain loop is what an application would write: json, the standard library's base64,
AESGCM and a dataclass.

    python -m benchmarks.reading                     # with memoram[fast]
    python -m benchmarks.reading --plain             # as if msgspec and pybase64 were not installed
    python -m benchmarks.reading --only pages,lists,wall,memory [--rounds 21]
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import gc
import json
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import orjson
import pybase64
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from joserfc import jwe
from joserfc.jwk import OctKey
from jwcrypto import jwe as jwcrypto_jwe  # type: ignore[import-untyped]
from jwcrypto import jwk as jwcrypto_jwk
from openai import BaseModel

if "--plain" in sys.argv:
    # The peers above have what they need; the SDK, imported below, must not find it.
    sys.modules["msgspec"] = None  # type: ignore[assignment]
    sys.modules["memoram_async.crypto.base64_fast"] = None  # type: ignore[assignment]

from benchmarks.read_stage import KEY, PER_PAGE, USER, credentials, page, read_server
from memoram_async import AsyncMemoram, Memory
from memoram_async.core.http import HTTPResponse
from memoram_async.crypto import ContentReader, EncryptionKey, Keyring, StoreOptions, decrypt, encrypt
from memoram_async.models.blob_pages import read_blob_page
from memoram_async.models.drafts import BlobDraft, MemoryDraft

Case: TypeAlias = Callable[[], object]
Run: TypeAlias = Callable[[], Awaitable[object]]

TEXT = "Prefers window seats. " * 47  # about 1 KiB
RAW = page()
AEAD = AESGCM(bytes.fromhex(KEY))


def floor() -> list[tuple[str, str]]:
    """Nothing but parsing, base64 and AES."""
    decode = pybase64.b64decode
    found: list[tuple[str, str]] = []
    for blob in orjson.loads(RAW)["memoryBlobs"]:
        header, _, iv, ciphertext, tag = blob["content"].split(".")
        sealed = decode(ciphertext + "=" * (-len(ciphertext) % 4), b"-_", True) + decode(
            tag + "==", b"-_", True
        )
        text = AEAD.decrypt(decode(iv, b"-_", True), sealed, header.encode())
        found.append((blob["id"], text.decode()))
    return found


@dataclass(frozen=True)
class Plain:
    """What an application would read a memory into."""

    id: str
    user_id: str
    text: str
    title: str
    summary: str | None
    tags: tuple[str, ...]
    tag_ids: tuple[str, ...]
    importance: float
    confidence: float
    source: str
    created_at: datetime
    updated_at: datetime


def unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def plain_loop(raw: bytes) -> tuple[list[Plain], str | None]:
    body = json.loads(raw)
    found: list[Plain] = []
    for blob in body["memoryBlobs"]:
        header, _, iv, ciphertext, tag = blob["content"].split(".")
        sealed = unpadded(ciphertext) + unpadded(tag)
        text = AESGCM(bytes.fromhex(KEY)).decrypt(unpadded(iv), sealed, header.encode()).decode()
        found.append(
            Plain(
                id=blob["id"],
                user_id=blob["user_id"],
                text=text,
                title=blob["title"],
                summary=blob["summary"],
                tags=tuple(blob["tags"]),
                tag_ids=tuple(blob["tag_ids"]),
                importance=blob["importance"],
                confidence=blob["confidence"],
                source=blob["source"],
                created_at=datetime.fromisoformat(blob["created_at"]),
                updated_at=datetime.fromisoformat(blob["updated_at"]),
            )
        )
    return found, body["next_cursor"]


class StainlessBlob(BaseModel):
    """A blob in an SDK that Stainless generates: a pydantic model that is constructed, not validated."""

    id: str
    user_id: str | None = None
    content: str | None = None
    title: str | None = None
    summary: str | None = None
    tags: list[str] | None = None
    tag_ids: list[str] | None = None
    importance: float | None = None
    confidence: float | None = None
    source: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class StainlessPage(BaseModel):
    """A page of them."""

    memoryBlobs: list[StainlessBlob]  # noqa: N815 - as it is on the wire
    next_cursor: str | None = None
    total: int | None = None


def compare(title: str, theirs: Case, ours: Case, *, rounds: int, inverse: bool = False) -> None:
    """Print the ratio of two functions; `inverse` says how many times faster ours is."""
    cases = (theirs, ours)
    repeats = [0, 0]
    for index, case in enumerate(cases):
        case()
        began = time.process_time()
        while time.process_time() - began < 0.02:
            case()
            repeats[index] += 1
    figures: list[list[float]] = [[], []]
    gc.collect()
    for _ in range(rounds):
        for index in random.sample((0, 1), 2):
            began = time.process_time()
            for _ in range(repeats[index]):
                cases[index]()
            figures[index].append((time.process_time() - began) / repeats[index])
    _tell(title, *figures, inverse=inverse)


def _tell(title: str, theirs: list[float], ours: list[float], *, inverse: bool = False) -> None:
    ratios = [b / a for a, b in zip(theirs, ours, strict=True)]
    ratio, best = statistics.median(ratios), min(ours) / min(theirs)
    if inverse:
        ratio, best = 1 / ratio, 1 / best
    print(f"{title:64}{ratio:7.2f}  (best against best {best:.2f}; {min(ours) * 1e6:.0f} us)", flush=True)


def pages(rounds: int) -> None:
    response = HTTPResponse(status=200, headers={}, content=RAW)
    key = EncryptionKey.from_hex(KEY, version=1)
    ring = Keyring(key, user_id=USER)
    reader = ContentReader(StoreOptions())
    reader.read(ring, json.loads(RAW)["memoryBlobs"][0]["content"])
    quick = reader.quick(ring)

    def ours() -> object:
        return read_blob_page(response, BlobDraft, user_id=USER)

    async def opened() -> Any:
        return await store._content.open_page(  # noqa: SLF001 - what lists do with a page  # pyright: ignore[reportPrivateUsage]
            read_blob_page(response, MemoryDraft, user_id=USER)
        )

    def memories() -> Any:
        try:
            opened().send(None)
        except StopIteration as stop:
            return stop.value

    client = AsyncMemoram("mem_bench", base_url="http://127.0.0.1:1", auth_url="http://127.0.0.1:1")
    store = client.open(credentials())
    assert [memory.content for memory in memories().items] == [text for _, text in floor()]
    compare("page bytes to blobs, against orjson.loads", lambda: orjson.loads(RAW), ours, rounds=rounds)
    compare("page bytes to memories, against the JWE floor", floor, memories, rounds=rounds)
    compare(
        "page bytes to blobs, times faster than Stainless-style models",
        lambda: StainlessPage.construct(**json.loads(RAW)),
        ours,
        rounds=rounds,
        inverse=True,
    )
    jose_key = OctKey.import_key(bytes.fromhex(KEY))
    header = {"alg": "dir", "enc": "A256GCM", "kid": "1", "typ": "memoram-content+jwe"}
    other_key = jwcrypto_jwk.JWK(
        kty="oct", k=base64.urlsafe_b64encode(bytes.fromhex(KEY)).decode().rstrip("=")
    )
    token = encrypt(key, TEXT)

    def jwcrypto_encrypt() -> str:
        made = jwcrypto_jwe.JWE(TEXT.encode(), json.dumps(header))
        made.add_recipient(other_key)
        return str(made.serialize(compact=True))

    def jwcrypto_decrypt() -> str:
        read = jwcrypto_jwe.JWE()
        read.deserialize(token, other_key)
        return str(read.payload.decode())

    def read() -> object:
        return quick(token)

    for name, theirs, mine in (
        (
            "encrypt 1 KB, times faster than joserfc",
            lambda: jwe.encrypt_compact(header, TEXT, jose_key),
            lambda: encrypt(key, TEXT),
        ),
        (
            "decrypt 1 KB, times faster than joserfc",
            lambda: jwe.decrypt_compact(token, jose_key).plaintext,
            read,
        ),
        ("encrypt 1 KB, times faster than jwcrypto", jwcrypto_encrypt, lambda: encrypt(key, TEXT)),
        ("decrypt 1 KB, times faster than jwcrypto", jwcrypto_decrypt, read),
    ):
        compare(name, theirs, mine, rounds=rounds, inverse=True)
    assert decrypt(ring, token).text == TEXT


def cursor_of(raw: bytes) -> str | None:
    """The cursor at the end of a page, without parsing the rest."""
    value = raw[raw.rindex(b'"next_cursor":') + 14 : raw.rindex(b',"total"')]
    return None if value == b"null" else value.strip(b'"').decode()


async def lists(rounds: int, *, delay_ms: float, wall: bool) -> None:  # noqa: C901 - each case is a function
    with read_server(delay_ms=delay_ms) as url:
        async with (
            httpx.AsyncClient(headers={"authorization": "Bearer eyJ.bench.mark"}) as bare,
            AsyncMemoram("mem_bench", base_url=url, auth_url=url) as client,
        ):
            store = client.open(credentials())

            async def walk(read: Callable[[bytes], tuple[object, str | None]]) -> None:
                cursor: str | None = None
                while True:
                    at = "" if cursor is None else f"&cursor={cursor}"
                    _, cursor = read(
                        (await bare.get(f"{url}/memory-blobs?user_id={USER}&limit=100{at}")).content
                    )
                    if cursor is None:
                        return

            async def fetching() -> None:
                await walk(lambda raw: (None, cursor_of(raw)))

            async def loop() -> None:
                await walk(plain_loop)

            async def listing() -> None:
                count = 0
                async for memory in store.list(page_size=PER_PAGE):
                    count += bool(memory.content)
                assert count == 10_000

            async def ahead() -> None:
                count = 0
                async with store.list(page_size=PER_PAGE).ahead() as memories:
                    async for memory in memories:
                        count += bool(memory.content)
                assert count == 10_000

            if wall:
                at = f"10,000 at {delay_ms:g} ms an answer, wall, against fetching alone"
                await compare_runs(at, fetching, listing, rounds=rounds, clock=time.perf_counter)
                await compare_runs(
                    f"{at}, read ahead", fetching, ahead, rounds=rounds, clock=time.perf_counter
                )
            else:
                await compare_runs(
                    "10,000 listed, CPU, against fetching alone", fetching, listing, rounds=rounds
                )
                await compare_runs("10,000 listed, CPU, against the plain loop", loop, listing, rounds=rounds)
                await compare_runs(
                    "10,000 read ahead, CPU, against fetching alone", fetching, ahead, rounds=rounds
                )


async def compare_runs(
    title: str, theirs: Run, ours: Run, *, rounds: int, clock: Callable[[], float] = time.process_time
) -> None:
    figures: list[list[float]] = [[], []]
    for case in (theirs, ours):
        await case()
    for _ in range(rounds):
        for index in random.sample((0, 1), 2):
            gc.collect()
            began = clock()
            await (theirs, ours)[index]()
            figures[index].append(clock() - began)
    _tell(title, *figures)


async def iterate(url: str, pages: int) -> None:
    async with AsyncMemoram("mem_bench", base_url=url, auth_url=url) as client:
        kept: Memory | None = None
        async for memory in client.open(credentials()).list(page_size=PER_PAGE, search=str(pages)):
            kept = memory
        assert kept is not None
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def memory() -> None:
    peaks: list[float] = []
    with read_server() as url:
        for count in (10, 1000):
            done = subprocess.run(  # noqa: S603 - our own script
                [sys.executable, "-m", "benchmarks.reading", *sys.argv[1:], "--iterate", url, str(count)],
                capture_output=True,
                text=True,
                check=True,
                cwd=Path(__file__).parents[1],
            )
            peaks.append(float(done.stdout))
    few, many = peaks
    print(
        f"{'peak memory, 100,000 over 1,000 memories, MB':64}{many - few:7.1f}  ({few:.0f} and {many:.0f} MB)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument(
        "--plain", action="store_true", help="as if the packages of memoram[fast] were not there"
    )
    parser.add_argument("--only", default="pages,lists,wall,memory")
    parser.add_argument("--iterate", nargs=2, metavar=("URL", "PAGES"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.iterate is not None:
        asyncio.run(iterate(arguments.iterate[0], int(arguments.iterate[1])))
        return
    only = set(arguments.only.split(","))
    print("without" if arguments.plain else "with", "memoram[fast]")
    if "pages" in only:
        pages(arguments.rounds)
    if "lists" in only:
        asyncio.run(lists(arguments.rounds, delay_ms=0, wall=False))
    if "wall" in only:
        asyncio.run(lists(max(arguments.rounds // 3, 3), delay_ms=5, wall=True))
    if "memory" in only:
        memory()


if __name__ == "__main__":
    main()
