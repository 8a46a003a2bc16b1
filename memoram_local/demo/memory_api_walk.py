"""The walk through Memory API, the second service, once with each SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import anyio

from memoram_async import AsyncMemoryAPI, MemoramError
from memoram_async.memory_api import DisabledAPIKeyError, InsufficientScopeError
from memoram_local.demo.platform_process import PlatformError, PlatformProcess, no_proxy
from memoram_local.demo.report import counted, say, say_item, shown, speak_any_script
from memoram_sync import MemoryAPI

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from memoram_async import Secret

EQUAL: Final = 0
DIFFERENT: Final = 1

_EMAIL: Final = "developer@example.test"
_TEXTS: Final = (
    "Ada prefers window seats on long flights",
    "Ada drinks green tea in the morning",
    "Bob lives in Lisbon and speaks Portuguese",
)
_QUESTION: Final = "Which seats does Ada prefer?"


class Differs(Exception):  # noqa: N818 - what the demo says of it is no error of a program
    """Something was not as it should be; the text says what."""


def run() -> int:
    """Walk with each SDK.

    Returns:
        0 when all was as it should be, 1 when something differed or failed.
    """
    speak_any_script()
    problems: list[str] = []
    with no_proxy(), PlatformProcess() as platform:
        try:
            url = f"{platform.url()}/v1"
        except PlatformError as error:
            say(f"PROBLEM  {error}")
            return DIFFERENT
        say(f"Memory API: {url}, its data is in memory and ends with the demo")
        for sdk, walk in _WALKS.items():
            say(f"\n{sdk}")
            try:
                walk(url)
            except (Differs, MemoramError) as error:
                problems.append(f"{sdk}: {error}")
    say()
    for problem in problems:
        say(f"PROBLEM  {problem}")
    say(
        "NOT AS IT SHOULD BE"
        if problems
        else f"ALL AS IT SHOULD BE, through {counted(len(_WALKS), 'SDK', 'SDKs')}"
    )
    return DIFFERENT if problems else EQUAL


def walk_with_async(url: str) -> None:
    """Walk with `memoram_async`."""
    anyio.run(_walk_async, url)


async def _walk_async(url: str) -> None:
    async with AsyncMemoryAPI(base_url=url, api_key=None) as stranger:
        signup = await stranger.signup(name="Memoram demo", email=_EMAIL)
    _tell_key(signup.key)
    async with AsyncMemoryAPI(signup.key, base_url=url) as api:
        reader = await api.account.api_keys.create(name="Reader", scopes=["read"], expires_in_days=30)
        _tell_scopes("Reader", list(map(str, reader.scopes)))
        async with AsyncMemoryAPI(reader.key, base_url=url) as reading:
            refused = None
            try:
                await reading.memories.create(_TEXTS[0])
            except InsufficientScopeError as error:
                refused = error.scope
            _tell_refusal(refused)
            for text in _TEXTS:
                await api.memories.create(text, metadata={"from": "demo"})
            _tell_list([memory.text async for memory in reading.memories.list(page_size=2)])
            _tell_matches([match.text for match in (await reading.query(_QUESTION)).memories])
            answer = await reading.query_answer(_QUESTION)
            _tell_answer(answer.answer, answer.model)
        new = await api.account.api_keys.rotate(signup.id)
        works = len([key async for key in api.account.api_keys.list() if key.is_active])
    async with AsyncMemoryAPI(signup.key, base_url=url) as old:
        try:
            await old.account.get()
        except DisabledAPIKeyError:
            _tell_rotation(new.key, works)
        else:
            raise Differs("the old key still works after its rotation")


def walk_with_sync(url: str) -> None:
    """Walk with `memoram_sync`."""
    with MemoryAPI(base_url=url, api_key=None) as stranger:
        signup = stranger.signup(name="Memoram demo", email=_EMAIL)
    _tell_key(signup.key)
    with MemoryAPI(signup.key, base_url=url) as api:
        reader = api.account.api_keys.create(name="Reader", scopes=["read"], expires_in_days=30)
        _tell_scopes("Reader", list(map(str, reader.scopes)))
        with MemoryAPI(reader.key, base_url=url) as reading:
            refused = None
            try:
                reading.memories.create(_TEXTS[0])
            except InsufficientScopeError as error:
                refused = error.scope
            _tell_refusal(refused)
            for text in _TEXTS:
                api.memories.create(text, metadata={"from": "demo"})
            _tell_list([memory.text for memory in reading.memories.list(page_size=2)])
            _tell_matches([match.text for match in reading.query(_QUESTION).memories])
            answer = reading.query_answer(_QUESTION)
            _tell_answer(answer.answer, answer.model)
        new = api.account.api_keys.rotate(signup.id)
        works = len([key for key in api.account.api_keys.list() if key.is_active])
    with MemoryAPI(signup.key, base_url=url) as old:
        try:
            old.account.get()
        except DisabledAPIKeyError:
            _tell_rotation(new.key, works)
        else:
            raise Differs("the old key still works after its rotation")


_WALKS: Final[Mapping[str, Callable[[str], None]]] = {
    "memoram_async": walk_with_async,
    "memoram_sync": walk_with_sync,
}


def _tell_key(key: Secret) -> None:
    say_item("Signed up", f"{key.reveal()[:14]}..., shown once and good for everything")


def _tell_scopes(name: str, scopes: list[str]) -> None:
    say_item("One more key", f"{name}, good for {', '.join(scopes)}, for 30 days")


def _tell_refusal(scope: str | None) -> None:
    if scope != "write":
        raise Differs("a write with a key that may only read was not refused for want of the scope write")
    say_item("Refused", f"a write with that key: it lacks the scope {scope}")


def _tell_list(texts: list[str]) -> None:
    if texts != list(reversed(_TEXTS)):
        raise Differs("the memories did not come back as they were stored, the newest first")
    say_item("Memories", f"{counted(len(texts), 'memory', 'memories')} stored, and read in pages")


def _tell_matches(texts: list[str]) -> None:
    if texts[:1] != [_TEXTS[0]]:
        raise Differs("the question did not find its memory first")
    say_item("Question", shown(f"{_QUESTION} {texts[0]}"))


def _tell_answer(answer: str, model: str | None) -> None:
    if answer != _TEXTS[0]:
        raise Differs("the answer is not the sentence that answers")
    say_item("Answer", shown(f"{answer} ({model})"))


def _tell_rotation(key: Secret, works: int) -> None:
    if works != 2:
        raise Differs(f"after the rotation {counted(works, 'key works', 'keys work')} instead of 2")
    say_item("Rotated", f"{key.reveal()[:14]}... took over, and the first key is refused")
