"""Finding one user's memories by what they say, on this side: the service cannot read them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator, Iterable, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any, Final, Protocol

import attrs

from memoram_async.core.arguments import check_count, check_query
from memoram_async.core.deadline import Deadline
from memoram_async.core.errors import InvalidArgumentError, NotFoundError
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
    """Keeps an index of one user's memories current: listed once a minute at most, with own writes at once.

    All stores that stand on one access share it. Nothing is listed before the first question. Where a write
    leaves open what a memory is like now, the next question reads that memory first.
    """

    __slots__ = ("_calls", "_doubts", "_index", "_journals", "_runtime", "_swept_at")

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._calls: SharedCalls[None] = SharedCalls(runtime)
        self._index: Recall | None = None
        self._swept_at: float | None = None
        # What was written while something is read, which may show the state before it.
        self._journals: list[dict[str, Memory | None]] = []
        # Memories whose state is not known, each under a key of its own: what is read dispels those that were
        # there when it began, and no later ones.
        self._doubts: dict[object, str] = {}

    async def search(
        self,
        query: Any,
        *,
        limit: int,
        list_all: Callable[[], Coroutine[Any, Any, list[Memory]]],
        read: Callable[[str], Coroutine[Any, Any, Memory | None]],
    ) -> tuple[Memory, ...]:
        """The memories that answer a question best, best first.

        Args:
            query: The question.
            limit: How many memories are wanted.
            list_all: Lists all memories.
            read: Reads one; None if it is gone.

        Raises:
            InvalidArgumentError: `query` is no text that says something, or `limit` no positive number.
            ClientClosedError: The store was closed meanwhile.
            MemoramError: The memories could not be listed or read.
        """
        wrapped = hidden(query)
        del query
        question = check_query(wrapped)
        most = check_count(limit, name="limit")
        if most is None:
            raise InvalidArgumentError("limit must be a whole number of at least 1")
        if self._is_old():

            async def sweep() -> None:
                await self._sweep(list_all)

            await self._calls.call("sweep", sweep, Deadline(), doing="recall")
        for memory_id in dict.fromkeys(list(self._doubts.values())):
            await self._ascertain(memory_id, read)
        index = self._index
        if index is None:
            raise was_closed()
        return tuple(index.search(question, limit=most))

    def _is_old(self) -> bool:
        """Whether the next question lists all memories."""
        return self._swept_at is None or self._runtime.now() - self._swept_at >= SWEEP_SECONDS

    async def _sweep(self, list_all: Callable[[], Coroutine[Any, Any, list[Memory]]]) -> None:
        began = self._runtime.now()
        doubts = list(self._doubts)
        with self._journal() as journal:
            listed = await list_all()
            index = WordRecall() if self._index is None else self._index
            found = {memory.id: memory for memory in listed}
            for memory_id in index.ids():
                if memory_id not in found and memory_id not in journal:
                    index.remove(memory_id)
            for memory in found.values():
                if memory.id not in journal:
                    _take(index, memory.id, memory)
            for memory_id, written in list(journal.items()):
                _take(index, memory_id, written)
            self._index, self._swept_at = index, began
            self._dispel(doubts)

    async def _ascertain(
        self, memory_id: str, read: Callable[[str], Coroutine[Any, Any, Memory | None]]
    ) -> None:
        """Read a memory whose state is not known, once more if it was written meanwhile."""

        async def look() -> None:
            doubts = [doubt for doubt, of in list(self._doubts.items()) if of == memory_id]
            with self._journal() as journal:
                memory = await read(memory_id)
                index = self._index
                if index is not None:
                    _take(index, memory_id, memory)
                    if memory_id in journal:
                        _take(index, memory_id, journal[memory_id])
                self._dispel(doubts)

        while memory_id in list(self._doubts.values()):
            await self._calls.call(f"read {memory_id}", look, Deadline(), doing="recall")

    def _dispel(self, doubts: Iterable[object]) -> None:
        for doubt in doubts:
            self._doubts.pop(doubt, None)

    @contextmanager
    def _journal(self) -> Generator[dict[str, Memory | None]]:
        """What is written as long as this lasts."""
        journal: dict[str, Memory | None] = {}
        self._journals.append(journal)
        try:
            yield journal
        finally:
            # By what it is: equal ones are others'.
            self._journals[:] = [each for each in self._journals if each is not journal]

    @contextmanager
    def writing(self, memory_id: str) -> Generator[None]:
        """What may become of a memory that is written: if that fails, the next question reads it."""
        try:
            yield
        except NotFoundError:
            self.deleted(memory_id)
            raise
        except BaseException:
            self._doubt(memory_id)
            raise

    def wrote(self, memory: Memory) -> None:
        """Take over a memory that was just written; one that came without its content keeps what is known."""
        if _was_read(memory):
            self._note(memory.id, memory)
            return
        before = None if self._index is None else self._index.get(memory.id)
        if self._index is None or before is None or self._journals:
            self._doubt(memory.id)
        else:
            self._index.put(memory.with_content_of(before))

    def deleted(self, memory_id: str) -> None:
        """Forget a memory that was just deleted."""
        self._note(memory_id, None)

    def _note(self, memory_id: str, memory: Memory | None) -> None:
        for journal in list(self._journals):
            journal[memory_id] = memory
        if self._index is not None:
            _take(self._index, memory_id, memory)

    def _doubt(self, memory_id: str) -> None:
        if self._journals or not self._is_old():  # else the next question lists all of them
            self._doubts[object()] = memory_id

    def close(self) -> None:
        """Drop what was read."""
        self._index, self._swept_at = None, None
        self._doubts.clear()


def _take(index: Recall, memory_id: str, memory: Memory | None) -> None:
    """Bring an index to the state of a memory; None, or one without content, is none."""
    if memory is None or not _was_read(memory):
        index.remove(memory_id)
    else:
        index.put(memory)
