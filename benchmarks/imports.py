"""What short programs pay before their first answer: imports, a client, a token and a call.

Each program runs in a fresh interpreter (`python -I`), in shuffled, interleaved rounds; what is compared is
its CPU time. Ratios are medians of each round's ratio; milliseconds are over a program that does nothing.
Run it in an environment that holds the SDK alone: httpx imports more where its extras are installed. Peers
are measured where they are: `--peers PYTHON` names the interpreter of their environment.

    python -m benchmarks.imports [--rounds 15] [--peers /path/to/their/python]
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import ipaddress
import os
import platform
import random
import resource
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from benchmarks.stub_server import Canned

if TYPE_CHECKING:
    from collections.abc import Generator

KEY: Final = "mem_" + "0123456789abcdef" * 3

NOTHING: Final = "pass"
STANDARD: Final = "import typing, collections.abc, enum"
NAMES: Final = {
    "memoram_async, AsyncMemoram": "from memoram_async import AsyncMemoram",
    "memoram_sync, Memoram": "from memoram_sync import Memoram",
    "memoram_async.memory_api, AsyncMemoryAPI": "from memoram_async.memory_api import AsyncMemoryAPI",
    "memoram_sync.memory_api, MemoryAPI": "from memoram_sync.memory_api import MemoryAPI",
    "httpx, AsyncClient": "from httpx import AsyncClient",
}
PEERS: Final = {
    "openai": "from openai import AsyncOpenAI",
    "anthropic": "from anthropic import AsyncAnthropic",
    "zep-cloud": "from zep_cloud.client import AsyncZep",
    "mem0ai": "from mem0 import AsyncMemoryClient",
    "supermemory": "from supermemory import AsyncSupermemory",
    "letta-client": "from letta_client import AsyncLetta",
}

BARE_ASYNC: Final = """
import asyncio, httpx
async def main():
    async with httpx.AsyncClient() as client:
        answer = await client.post("{address}/auth/token", json={{"api_key": "{key}"}})
        headers = {{"authorization": "Bearer " + answer.json()["token"]}}
        (await client.get("{address}/tags/tag_1", params={{"user_id": "u"}}, headers=headers)).json()
asyncio.run(main())
"""
OURS_ASYNC: Final = """
import asyncio
from memoram_async import AsyncMemoram
async def main():
    async with AsyncMemoram("{key}", base_url="{address}", auth_url="{address}") as client:
        await client.tags.get("tag_1", user_id="u")
asyncio.run(main())
"""
BARE_SYNC: Final = """
import httpx
with httpx.Client() as client:
    answer = client.post("{address}/auth/token", json={{"api_key": "{key}"}})
    headers = {{"authorization": "Bearer " + answer.json()["token"]}}
    client.get("{address}/tags/tag_1", params={{"user_id": "u"}}, headers=headers).json()
"""
OURS_SYNC: Final = """
from memoram_sync import Memoram
with Memoram("{key}", base_url="{address}", auth_url="{address}") as client:
    client.tags.get("tag_1", user_id="u")
"""


def cpu(python: str, code: str) -> float:
    """The CPU time of a program, in milliseconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(  # noqa: S603 - our own words
        (python, "-I", "-c", code), capture_output=True, encoding="utf-8", check=False
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{code}\n{done.stderr[-800:]}")
    return (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime) * 1e3


def measured(programs: dict[str, tuple[str, str]], *, rounds: int) -> dict[str, list[float]]:
    """The times of each program, by its name; the first run of each only warms the machine."""
    for program in programs.values():
        cpu(*program)
    times: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(rounds):
        for name in random.sample(list(programs), len(programs)):
            times[name].append(cpu(*programs[name]))
    return times


def ratio(over: list[float], under: list[float]) -> str:
    """The median of the rounds' ratios, and its quartiles."""
    each = [one / other for one, other in zip(over, under, strict=True)]
    low, middle, high = statistics.quantiles(each, n=4)
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def more(times: list[float], nothing: list[float]) -> str:
    """What a program takes over one that does nothing."""
    return f"{statistics.median(one - other for one, other in zip(times, nothing, strict=True)):.1f} ms"


@contextmanager
def serving(context: ssl.SSLContext | None) -> Generator[str]:
    """The canned service in a thread of this process, whose time counts for no program; its address."""
    Canned.page, Canned.delay = b"{}", 0.0
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(loop.create_server(Canned, "127.0.0.1", 0, ssl=context))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        port = server.sockets[0].getsockname()[1]
        yield f"{'https' if context else 'http'}://127.0.0.1:{port}"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        loop.close()


@contextmanager
def trusted() -> Generator[ssl.SSLContext]:
    """A server's side of TLS, with a certificate that programs trust by SSL_CERT_FILE."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(here, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "server.pem")
        plain = serialization.NoEncryption()
        encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        file.write_bytes(key.private_bytes(encoding, form, plain) + certificate.public_bytes(encoding))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(file)
        os.environ["SSL_CERT_FILE"] = str(file)
        try:
            yield context
        finally:
            del os.environ["SSL_CERT_FILE"]


def imports(rounds: int, peers: str | None) -> None:
    """What importing a client's name takes."""
    programs = {"nothing": (sys.executable, NOTHING), "standard": (sys.executable, STANDARD)}
    programs |= {name: (sys.executable, code) for name, code in NAMES.items()}
    if peers is not None:
        programs["nothing there"] = (peers, NOTHING)
        programs |= {name: (peers, code) for name, code in PEERS.items()}
    times = measured(programs, rounds=rounds)
    print("| import | / import of typing, collections.abc, enum (quartiles) | over nothing |\n|---|---|---|")
    for name in NAMES:
        print(f"| {name} | {ratio(times[name], times['standard'])} | {more(times[name], times['nothing'])} |")
    for name in PEERS if peers is not None else ():
        over = more(times[name], times["nothing there"])
        print(f"| {name} | {ratio(times[name], times['standard'])} | {over} |")


def first_calls(rounds: int, scheme: str, address: str) -> None:
    """What a whole program takes that makes a client and one call, with the token that it needs."""
    programs = {
        name: (sys.executable, code.format(address=address, key=KEY))
        for name, code in (
            ("bare", BARE_ASYNC),
            ("ours", OURS_ASYNC),
            ("bare blocking", BARE_SYNC),
            ("ours blocking", OURS_SYNC),
        )
    }
    times = measured({"nothing": (sys.executable, NOTHING), **programs}, rounds=rounds)
    for kind in ("", " blocking"):
        ours, bare = times[f"ours{kind}"], times[f"bare{kind}"]
        shown = more(ours, times["nothing"]), more(bare, times["nothing"])
        print(f"| {scheme}{kind or ' async'} | {ratio(ours, bare)} | {shown[0]} | {shown[1]} |")


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description="What short programs pay before their first answer.")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--peers", help="the interpreter of an environment that the peers are installed in")
    options = parser.parse_args()
    named = ", ".join(f"{name} {version(name)}" for name in ("httpx", "attrs"))
    print(
        f"CPython {platform.python_version()}, {named}, {platform.machine()}, load {os.getloadavg()[0]:.0f}\n"
    )
    imports(options.rounds, options.peers)
    print("\n| first call | / bare httpx (quartiles) | ours, over nothing | bare httpx |\n|---|---|---|---|")
    with serving(None) as address:
        first_calls(options.rounds, "http", address)
    with trusted() as context, serving(context) as address:
        first_calls(options.rounds, "https", address)


if __name__ == "__main__":
    main()
