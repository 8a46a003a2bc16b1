"""What a call costs in other SDKs, and in ours, over the HTTP client that each one stands on.

Every SDK asks the same canned server for one small thing, as does its own HTTP library with a ready URL and
the same method and body. Rounds are shuffled and interleaved in one process, by CPU time; a ratio is the
median of each round's ratio.

    pip install --group peers -e .
    python -m benchmarks.peers [--rounds 15]
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import importlib
import importlib.metadata
import os
import platform
import random
import statistics
import tempfile
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.calls import stub_server

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

CALLS = 40
MESSAGES = [{"role": "user", "content": "hi"}]


@dataclass(frozen=True)
class Peer:
    """One SDK.

    Attributes:
        package: The distribution whose version is shown.
        library: The HTTP library that it stands on.
        make: Makes its client for an address.
        call: Makes one call.
        method: The method that this call uses.
        path: The path that it asks for.
        body: What it sends.
    """

    package: str
    library: str
    make: Callable[[str], Any]
    call: Callable[[Any], Awaitable[object]]
    method: str
    path: str
    body: dict[str, Any] | None = None


def load(name: str) -> Any:
    """An SDK's module, untyped: the types of six other SDKs are not this project's to check."""
    return importlib.import_module(name)


PEERS = (
    Peer(
        "memoram",
        "httpx",
        lambda url: load("memoram_async").AsyncMemoram("mem_b", base_url=url),
        lambda client: client.tags.get("tag_1", user_id="u"),
        "GET",
        "/tags/tag_1?user_id=u",
    ),
    Peer(
        "openai",
        "httpx2",
        lambda url: load("openai").AsyncOpenAI(api_key="k", base_url=url),
        lambda client: client.models.retrieve("m"),
        "GET",
        "/models/m",
    ),
    Peer(
        "anthropic",
        "httpx2",
        lambda url: load("anthropic").AsyncAnthropic(api_key="k", base_url=url),
        lambda client: client.models.retrieve("m"),
        "GET",
        "/v1/models/m?beta=true",
    ),
    Peer(
        "zep-cloud",
        "httpx",
        lambda url: load("zep_cloud.client").AsyncZep(api_key="k", base_url=url),
        lambda client: client.user.get("u1"),
        "GET",
        "/users/u1",
    ),
    Peer(
        "mem0ai",
        "httpx",
        lambda url: load("mem0").AsyncMemoryClient(api_key="k", host=url),
        lambda client: client.get("m1"),
        "GET",
        "/v1/memories/m1/",
    ),
    Peer(
        "supermemory",
        "httpx",
        lambda url: load("supermemory").AsyncSupermemory(api_key="k", base_url=url),
        lambda client: client.documents.get("n", "d1"),
        "GET",
        "/ns/n/document/d1",
    ),
    Peer(
        "letta-client",
        "httpx",
        lambda url: load("letta_client").AsyncLetta(api_key="k", base_url=url),
        lambda client: client.blocks.retrieve("b1"),
        "GET",
        "/v1/blocks/b1",
    ),
)


class Contest:
    """One SDK beside its HTTP library, with what was measured of both, in microseconds of CPU."""

    def __init__(self, peer: Peer, url: str) -> None:
        self.peer = peer
        self._url = url
        self._client = peer.make(url)
        library = load(peer.library)
        self._bare = library.AsyncClient(headers={"authorization": "Bearer k", "accept": "application/json"})
        self._address = library.URL(url + peer.path)
        self.figures: dict[str, list[float]] = {"call": [], "bare": [], "construct": []}

    async def call(self) -> None:
        """The SDK's call."""
        await self.peer.call(self._client)

    async def bare(self) -> None:
        """The same of the library."""
        (await self._bare.request(self.peer.method, self._address, json=self.peer.body)).json()

    async def construct(self) -> None:
        """Make one more client."""
        self.peer.make(self._url)

    async def measure(self, name: str) -> None:
        """One round of one of the three."""
        case: Callable[[], Awaitable[None]] = getattr(self, name)
        times = CALLS if name != "construct" else 5
        began = time.process_time()
        for _ in range(times):
            await case()
        self.figures[name].append((time.process_time() - began) / times * 1e6)

    def row(self) -> str:
        """Its line of the table."""
        call, bare, construct = self.figures["call"], self.figures["bare"], self.figures["construct"]
        low, middle, high = statistics.quantiles([a / b for a, b in zip(call, bare, strict=True)], n=4)
        version = importlib.metadata.version(self.peer.package)
        return (
            f"| {self.peer.package} {version} | {middle:.2f} ({low:.2f} to {high:.2f}) "
            f"| {min(call):.0f} us | {min(bare):.0f} us | {min(construct) / 1e3:.2f} ms |"
        )


async def compare(url: str, rounds: int) -> None:
    """Measure them all and print the table."""
    contests: list[Contest] = []
    for peer in PEERS:
        try:
            contests.append(Contest(peer, url))
        except ImportError as error:
            print(f"{peer.package} is not installed: {error}")
    cases = [(contest, name) for contest in contests for name in ("call", "bare", "construct")]
    for contest in contests:
        await contest.call()
        await contest.bare()
    gc.collect()
    gc.freeze()
    for _ in range(rounds):
        for contest, name in random.sample(cases, len(cases)):
            await contest.measure(name)
    print("| SDK | call / its own bare client (quartiles) | call | bare | construct |\n|---|---|---|---|---|")
    for contest in contests:
        print(contest.row())


def main() -> None:
    """Run in a home of its own: some of the SDKs write into it, and some would send telemetry."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ.update(HOME=home, MEM0_DIR=home, MEM0_TELEMETRY="False", DO_NOT_TRACK="1")
        print(f"CPython {platform.python_version()}, {platform.machine()}\n")
        with stub_server() as url:
            asyncio.run(compare(url, arguments.rounds))


if __name__ == "__main__":
    main()
