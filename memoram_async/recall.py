"""Finding one user's memories by what they say, on this side: the service cannot read them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Sequence
from itertools import count
from typing import Any, Final, Protocol

import attrs

from memoram_async.core.arguments import check_count, check_query
from memoram_async.core.deadline import Deadline
from memoram_async.core.errors import InvalidArgumentError
from memoram_async.core.ranking import Ranking
from memoram_async.core.secret import Confidential, Secret, hidden
from memoram_async.core.words import Words
from memoram_async.keys.user_keys import was_closed
from memoram_async.models.memory import Memory
from memoram_async.runtime.protocol import Runtime
from memoram_async.transport.shared_calls import SharedCalls

SWEEP_SECONDS: Final = 60.0
"""For how long what was listed counts as current."""

LONGEST_QUERY: Final = 10_000
"""Characters of a question that are looked at."""

_CLOSE: Final = 0.01
"""Scores that differ by less than this part of the best one count as equal."""

_GONE_KEPT: Final = 1000
"""So many memories that were changed or deleted may lie in an index before it is made anew."""


class Recall(Protocol):
    """Finds memories by a question. `WordRecall` is the one that stores have.

    Threads may call `search` while another one calls the other methods.
    """

    def put(self, memory: Memory) -> None:
        """Know this memory from now on, in this state."""
        ...

    def remove(self, memory_id: str) -> None:
        """Forget a memory; one that is not known is none."""
        ...

    def get(self, memory_id: str) -> Memory | None:
        """A known memory."""
        ...

    def ids(self) -> Iterable[str]:
        """The known memories."""
        ...

    def search(self, query: Secret, *, limit: int) -> Sequence[Memory]:
        """The memories that answer a question best, best first."""
        ...


@attrs.frozen
class _Known:
    """A memory, and its number in the index."""

    memory: Memory = attrs.field(repr=False)
    number: int


class WordRecall(Confidential):
    """Ranks memories by the words that they share with a question (BM25).

    Words are compared without case, accents and English endings, in titles, summaries and tags as in content.
    Among memories that fit equally well, the more important comes first, and then the newer.
    """

    __slots__ = ("_known", "_numbers", "_owners", "_ranking", "_words")

    def __init__(self) -> None:
        self._words = Words()
        self._numbers = count()
        self._known: dict[str, _Known] = {}
        self._owners: dict[int, str] = {}
        self._ranking = Ranking()

    def __repr__(self) -> str:
        return f"<WordRecall over {len(self._known)} memories>"

    def put(self, memory: Memory) -> None:
        """Know this memory from now on, in this state."""
        known = self._known.get(memory.id)
        if known is not None and _says_the_same(known.memory, memory):
            self._known[memory.id] = _Known(memory, known.number)
            return
        if len(self._owners) > 2 * len(self._known) + _GONE_KEPT:
            self._begin_anew()
        number = next(self._numbers)
        self._ranking.add(number, self._words_of(memory))
        self._owners[number] = memory.id
        self._known[memory.id] = _Known(memory, number)
        if known is not None:
            self._ranking.remove(known.number)

    def _begin_anew(self) -> None:
        """Leave behind what is gone."""
        ranking = Ranking()
        known = list(self._known.values())
        for each in known:
            ranking.add(each.number, self._words_of(each.memory))
        self._ranking, self._owners = ranking, {each.number: each.memory.id for each in known}

    def _words_of(self, memory: Memory) -> list[str]:
        parts = [memory.title, memory.summary, *memory.tags, memory.content]
        return self._words.of("\n".join([part for part in parts if part is not None]))

    def remove(self, memory_id: str) -> None:
        """Forget a memory; one that is not known is none."""
        known = self._known.pop(memory_id, None)
        if known is not None:
            self._ranking.remove(known.number)

    def get(self, memory_id: str) -> Memory | None:
        """A known memory."""
        known = self._known.get(memory_id)
        return None if known is None else known.memory

    def ids(self) -> list[str]:
        """The known memories."""
        return list(self._known)

    def search(self, query: Secret, *, limit: int) -> list[Memory]:
        """The memories that share most with a question, best first."""
        words = self._words.of(query.reveal()[:LONGEST_QUERY])
        found: list[tuple[int, Memory]] = []
        best = 0.0
        for number, score in self._ranking.best(words, limit=limit, closeness=_CLOSE):
            best = best or score
            memory = self.get(self._owners.get(number, ""))
            if memory is not None:
                found.append((round(score / best / _CLOSE), memory))
        found.sort(key=_preference, reverse=True)
        return [memory for _, memory in found[:limit]]


def _says_the_same(one: Memory, other: Memory) -> bool:
    return (
        one.content == other.content
        and one.title == other.title
        and one.summary == other.summary
        and one.tags == other.tags
    )


def _was_read(memory: Memory) -> bool:
    """Whether a memory has its content."""
    return memory.error is None and memory.codec is not None


def _preference(found: tuple[int, Memory]) -> tuple[int, float, float]:
    score, memory = found
    moment = memory.updated_at or memory.created_at
    importance = float("-inf") if memory.importance is None else memory.importance
    return score, importance, 0.0 if moment is None else moment.timestamp()


class StoreRecall(Confidential):
    """Keeps an index of one user's memories current: listed once a minute at most, with own writes.

    All stores that stand on one access share it. Nothing is listed before the first question.
    """

    __slots__ = ("_calls", "_index", "_journals", "_runtime", "_swept_at")

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._calls: SharedCalls[None] = SharedCalls(runtime)
        self._index: Recall | None = None
        self._swept_at: float | None = None
        # What was written while a sweep was under way, which may have read the state before it.
        self._journals: list[dict[str, Memory | None]] = []

    async def search(
        self, query: Any, *, limit: int, list_all: Callable[[], Coroutine[Any, Any, list[Memory]]]
    ) -> tuple[Memory, ...]:
        """The memories that answer a question best, best first.

        Args:
            query: The question.
            limit: How many memories are wanted.
            list_all: Lists all memories.

        Raises:
            InvalidArgumentError: `query` is no text that says something, or `limit` no positive number.
            ClientClosedError: The store was closed meanwhile.
            MemoramError: The memories could not be listed.
        """
        wrapped = hidden(query)
        del query
        question = check_query(wrapped)
        most = check_count(limit, name="limit")
        if most is None:
            raise InvalidArgumentError("limit must be a whole number of at least 1")
        if self._swept_at is None or self._runtime.now() - self._swept_at >= SWEEP_SECONDS:

            async def sweep() -> None:
                await self._sweep(list_all)

            await self._calls.call("sweep", sweep, Deadline(), doing="recall")
        index = self._index
        if index is None:
            raise was_closed()
        return tuple(index.search(question, limit=most))

    async def _sweep(self, list_all: Callable[[], Coroutine[Any, Any, list[Memory]]]) -> None:
        began = self._runtime.now()
        journal: dict[str, Memory | None] = {}
        self._journals.append(journal)
        try:
            listed = await list_all()
            index = WordRecall() if self._index is None else self._index
            found = {memory.id: memory for memory in listed if _was_read(memory)}
            for memory_id in index.ids():
                if memory_id not in found and memory_id not in journal:
                    index.remove(memory_id)
            for memory in found.values():
                if memory.id not in journal:
                    index.put(memory)
            for memory_id, written in list(journal.items()):
                if written is None:
                    index.remove(memory_id)
                else:
                    index.put(written)
            self._index, self._swept_at = index, began
        finally:
            self._journals.remove(journal)

    def wrote(self, memory: Memory) -> None:
        """Take over a memory that was just written.

        One that came without its content keeps the content that is known; if none is, the next question lists
        all memories again.
        """
        if not _was_read(memory):
            before = None if self._index is None else self._index.get(memory.id)
            if before is None:
                self._swept_at = None
                return
            memory = memory.with_content_of(before)
        self._note(memory.id, memory)

    def deleted(self, memory_id: str) -> None:
        """Forget a memory that was just deleted."""
        self._note(memory_id, None)

    def _note(self, memory_id: str, memory: Memory | None) -> None:
        for journal in list(self._journals):
            journal[memory_id] = memory
        if self._index is None:
            return
        if memory is None:
            self._index.remove(memory_id)
        else:
            self._index.put(memory)

    def close(self) -> None:
        """Drop what was read."""
        self._index, self._swept_at = None, None
