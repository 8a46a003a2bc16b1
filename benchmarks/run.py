"""The SDK beside the bare library that it stands on, as ratios of CPU time.

Cases of a pair run in shuffled, interleaved rounds in one process; the figure is the median of the
ratios of each round, so a noisy machine disturbs both sides alike. The server runs in another process
and is not counted. Ratios mean something, microseconds only on the machine that printed them.

    python benchmarks/run.py [--rounds 15] [--only call,sync]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import httpx
from joserfc import jwe
from joserfc.jwk import OctKey

from memoram_async import AccessCredentials, AsyncMemoram, Secret
from memoram_async.crypto import CodecRegistry, EncryptionKey, Keyring, encrypt
from memoram_sync import Memoram

if TYPE_CHECKING:
    from collections.abc import Generator

KEY = "0f" * 32
TEXT = "Prefers window seats. " * 47  # about 1 KiB
PAGE = 100

Case: TypeAlias = Callable[[], Awaitable[object]]
Pair: TypeAlias = tuple[str, Case, Case, int]


@contextmanager
def stub_server() -> Generator[str]:
    """The canned server with a page of encrypted memories; yields its address."""
    key = EncryptionKey.from_hex(KEY, version=1)
    blobs = [
        {
            "id": f"mem_{number}",
            "user_id": "8c1f7c1e-6f0a-4f0e-9b7e-3f6f3f1f2a10",
            "content": encrypt(key, TEXT),
            "title": "Seat",
            "summary": None,
            "tags": ["travel", "seat"],
            "tag_ids": ["tag_1", "tag_2"],
            "importance": 0.8,
            "confidence": 1,
            "source": "chat",
            "created_at": "2026-01-02T03:04:05Z",
            "updated_at": "2026-01-02T03:04:05Z",
        }
        for number in range(PAGE)
    ]
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "page.json")
        page.write_text(json.dumps({"memoryBlobs": blobs, "next_cursor": None}))
        with subprocess.Popen(  # noqa: S603 - our own script
            [sys.executable, str(Path(__file__).with_name("stub_server.py")), str(page)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as server:
            assert server.stdout is not None
            yield f"http://127.0.0.1:{server.stdout.readline().strip()}"
            assert server.stdin is not None
            server.stdin.close()


def pairs(  # noqa: C901 - a table of small functions
    url: str, bare: httpx.AsyncClient, client: AsyncMemoram, blocking: Memoram
) -> list[Pair]:
    """What is compared: a name, the bare side, our side, and operations in one run of a side."""
    blocking_bare = httpx.Client()
    store = client.open(
        AccessCredentials(user_id="u", memory_key=Secret("mk"), encryption_key=Secret(KEY), key_version=1)
    )
    key = EncryptionKey.from_hex(KEY, version=1)
    ring, codecs, sealed = Keyring(key), CodecRegistry(), encrypt(key, TEXT)
    peer_key = OctKey.import_key(bytes.fromhex(KEY))
    header = {"alg": "dir", "enc": "A256GCM", "kid": "1", "typ": "memoram-content+jwe"}

    async def bare_call() -> None:
        for _ in range(50):
            (await bare.get(f"{url}/tags/tag_1", params={"user_id": "u"})).json()

    async def our_call() -> None:
        for _ in range(50):
            await client.tags.get("tag_1", user_id="u")

    async def bare_sync() -> None:
        for _ in range(50):
            blocking_bare.get(f"{url}/tags/tag_1", params={"user_id": "u"}).json()  # noqa: ASYNC212 - the case

    async def our_sync() -> None:
        for _ in range(50):
            blocking.tags.get("tag_1", user_id="u")

    async def bare_gather() -> None:
        await asyncio.gather(*[bare.get(f"{url}/tags/tag_1", params={"user_id": "u"}) for _ in range(200)])

    async def our_gather() -> None:
        await asyncio.gather(*[client.tags.get("tag_1", user_id="u") for _ in range(200)])

    async def bare_page() -> None:
        for _ in range(5):
            answer = (await bare.get(f"{url}/memory-blobs", params={"user_id": "u"})).json()
            [jwe.decrypt_compact(blob["content"], peer_key).plaintext for blob in answer["memoryBlobs"]]

    async def our_page() -> None:
        for _ in range(5):
            [memory.content for memory in (await store.list().first_page()).items]

    async def peer_encrypt() -> None:
        for _ in range(200):
            jwe.encrypt_compact(header, TEXT, peer_key)

    async def our_encrypt() -> None:
        for _ in range(200):
            encrypt(key, TEXT)

    async def peer_decrypt() -> None:
        for _ in range(200):
            jwe.decrypt_compact(sealed, peer_key)

    async def our_decrypt() -> None:
        for _ in range(200):
            codecs.read(ring, sealed)

    return [
        ("call: typed, against httpx get().json()", bare_call, our_call, 50),
        ("sync: the facade, against httpx.Client", bare_sync, our_sync, 50),
        ("gather: 200 tasks on one client, against httpx", bare_gather, our_gather, 200),
        ("page: 100 memories decrypted, against httpx and joserfc", bare_page, our_page, 5),
        ("encrypt: 1 KiB, against joserfc", peer_encrypt, our_encrypt, 200),
        ("decrypt: 1 KiB, against joserfc", peer_decrypt, our_decrypt, 200),
    ]


async def measure(case: Case) -> float:
    """CPU seconds of this process for one run."""
    began = time.process_time()
    await case()
    return time.process_time() - began


async def main(rounds: int, only: set[str]) -> None:
    """Print a line for each pair."""
    with stub_server() as url:
        limits = httpx.Limits(max_connections=100)
        async with (
            httpx.AsyncClient(limits=limits) as bare,
            AsyncMemoram("mem_bench", base_url=url, auth_url=url) as client,
        ):
            with Memoram("mem_bench", base_url=url, auth_url=url) as blocking:
                print(f"{'':58}{'ratio':>7}{'ours':>12}{'bare':>12}")
                for name, theirs, ours, operations in pairs(url, bare, client, blocking):
                    if only and name.split(":")[0] not in only:
                        continue
                    await theirs()
                    await ours()
                    figures: list[tuple[float, float]] = []
                    for _ in range(rounds):
                        if random.random() < 0.5:  # noqa: S311 - an order, not a secret
                            first = await measure(theirs)
                            figures.append((first, await measure(ours)))
                        else:
                            first = await measure(ours)
                            figures.append((await measure(theirs), first))
                    ratio = statistics.median(mine / other for other, mine in figures)
                    best = [min(side) / operations * 1e6 for side in zip(*figures, strict=True)]
                    print(f"{name:58}{ratio:7.2f}{best[1]:9.0f} us{best[0]:9.0f} us", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--only", default="", help="names before the colon, joined by commas")
    arguments = parser.parse_args()
    asyncio.run(main(arguments.rounds, set(filter(None, arguments.only.split(",")))))
