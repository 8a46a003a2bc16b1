"""Runs the demo from its arguments to its exit status."""

from __future__ import annotations

import contextlib
import importlib.resources
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import anyio

from memoram_async import AccessRejected, MemoramError
from memoram_local.demo import probes, walk_async, walk_sync
from memoram_local.demo.memories import read_memories
from memoram_local.demo.people import PageError, Person
from memoram_local.demo.platform_process import PlatformError, PlatformProcess, no_proxy
from memoram_local.demo.report import counted, say, shown, speak_any_script
from memoram_local.demo.stage import APP_NAME, MissingError, Stage

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Generator, Mapping
    from typing import IO

    from memoram_local.demo.memories import Reading
    from memoram_local.demo.people import App

EQUAL: Final = 0
DIFFERENT: Final = 1
UNUSABLE: Final = 2

_REDIRECT_URI: Final = "http://127.0.0.1/callback"
_MOST_PROBLEMS: Final = 20
_LONGEST_PATH: Final = 4096

Walk: TypeAlias = "Callable[[Stage], None]"


def walk_with_async(stage: Stage) -> None:
    """Walk with `memoram_async`."""
    anyio.run(walk_async.walk, stage)


WALKS: Final[Mapping[str, Walk]] = {"memoram_async": walk_with_async, "memoram_sync": walk_sync.walk}


def run(arguments: argparse.Namespace, *, walks: Mapping[str, Walk] = WALKS) -> int:
    """Run the demo.

    Args:
        arguments: `memories`, the file's path or None for the sample, and `interactive`.
        walks: What to do with each SDK, by its name.

    Returns:
        0 when every memory came back as it is in the file, 1 when something differed or failed, 2 when there
        is no memory to begin with.
    """
    speak_any_script()
    began = time.monotonic()
    path: str | None = arguments.memories
    try:
        with _opened(path) as file:
            reading = read_memories(file)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        return _unusable(f"{_name_of(path)} cannot be read: {reason}")
    name = _name_of(path)
    if not reading.memories:
        return _unusable(_nothing_in(name, reading))
    say(f"Memories: {name}, {counted(len(reading.memories), 'memory', 'memories')}")
    for bad in reading.bad_lines:
        say(f"  line {bad.line} is left out: {bad.reason}")
    with no_proxy(), PlatformProcess() as platform:
        problems = _walk_all(walks, platform, reading, interactive=arguments.interactive)
    _summarize(reading, problems, walks=len(walks), seconds=time.monotonic() - began)
    return DIFFERENT if problems else EQUAL


def _walk_all(
    walks: Mapping[str, Walk], platform: PlatformProcess, reading: Reading, *, interactive: bool
) -> list[str]:
    try:
        url = platform.url()
    except PlatformError as error:
        return [str(error)]
    say(f"Platform: {url}, its data is in memory and ends with the demo")
    chosen = probes.choose(reading.memories)
    problems: list[str] = []
    for number, (sdk, walk) in enumerate(walks.items()):
        say(f"\n{sdk}")
        # The person at the keyboard approves once; the second walk has a user of its own.
        is_asked = interactive and number == 0
        if interactive and number == 1:
            say("     Now with a second user, whose part the demo plays.")
        try:
            with _cast(url, sdk) as (app, user):
                stage = Stage(url, reading.memories, chosen, app, user, interactive=is_asked)
                try:
                    walk(stage)
                finally:
                    problems += [f"{sdk}: {problem}" for problem in stage.outcome.problems]
        except AccessRejected:
            say("     You said no, so the application gets nothing: there is no more to show.")
            return [*problems, f"{sdk}: the access request was rejected"]
        except (MemoramError, PageError, MissingError) as error:
            problems.append(f"{sdk}: {error}")
    return problems


@contextlib.contextmanager
def _cast(url: str, sdk: str) -> Generator[tuple[App, Person]]:
    """A developer's registered application, and a user; both have just signed up."""
    domain = f"{sdk.replace('_', '-')}.example"
    with (
        Person(url, email=f"developer@{domain}") as developer,
        Person(url, email=f"user@{domain}") as user,
    ):
        developer.sign_up()
        app = developer.register_app(name=APP_NAME, redirect_uri=_REDIRECT_URI)
        user.sign_up()
        yield app, user


@contextlib.contextmanager
def _opened(path: str | None) -> Generator[IO[bytes]]:
    if path is None:
        sample = importlib.resources.files("memoram_local.demo") / "sample.jsonl"
        with sample.open("rb") as file:
            yield file
    else:
        with Path(path).open("rb") as file:
            yield file


def _name_of(path: str | None) -> str:
    return "the sample of this package" if path is None else shown(path, columns=_LONGEST_PATH)


def _nothing_in(name: str, reading: Reading) -> str:
    if not reading.bad_lines:
        return f"{name} holds no memory: it is empty"
    first = reading.bad_lines[0]
    others = len(reading.bad_lines) - 1
    more = f", and {counted(others, 'more line', 'more lines')}" if others else ""
    return f"{name} holds no memory: line {first.line} is left out, because {first.reason}{more}"


def _unusable(message: str) -> int:
    print(f"memoram-local demo: {message}", file=sys.stderr, flush=True)
    return UNUSABLE


def _summarize(reading: Reading, problems: list[str], *, walks: int, seconds: float) -> None:
    memories = counted(len(reading.memories), "memory", "memories")
    left_out = counted(len(reading.bad_lines), "line", "lines")
    say()
    for problem in problems[:_MOST_PROBLEMS]:
        say(f"PROBLEM  {problem}")
    if len(problems) > _MOST_PROBLEMS:
        say(f"PROBLEM  and {len(problems) - _MOST_PROBLEMS} more")
    if problems:
        verdict = f"NOT ALL EQUAL: {counted(len(problems), 'problem', 'problems')}"
    else:
        verdict = f"ALL EQUAL: {memories}, through {counted(walks, 'SDK', 'SDKs')}"
    say(f"{verdict}; {left_out} left out; {seconds:.1f} s")
    say("Your own platform: python -m memoram_local serve")
