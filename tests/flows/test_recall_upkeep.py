"""What a question sees of writes that came while memories were being listed or read for it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import pytest

from memoram_async import ClientClosedError
from memoram_async.crypto.decrypted import Provenance
from memoram_async.models.memory import Memory
from memoram_async.recall import SWEEP_SECONDS, StoreRecall
from tests.worlds import ClockedAnyioRuntime, ClockedBlockingRuntime, Time

if TYPE_CHECKING:
    from tests.worlds import World

pytestmark = pytest.mark.anyio

T = TypeVar("T")
READ = Provenance(encrypted=True, authenticated=True, bound=True, codec="jwe", key_version=1)


def memory(memory_id: str, content: str, *, title: str | None = None) -> Memory:
    """A memory with its content."""
    return Memory(id=memory_id, title=title, content=content, provenance=READ)


def without_content(whole: Memory) -> Memory:
    """The same as an update answers."""
    return Memory(id=whole.id, title=whole.title)


@attrs.define
class Service:
    """Memories, and something that happens once, after they were read and before the answer arrives."""

    recall: StoreRecall
    time: Time
    memories: dict[str, Memory] = attrs.field(factory=dict[str, Memory])
    asked: list[str] = attrs.field(factory=list[str])
    _meanwhile: list[Callable[[], None]] = attrs.field(factory=list["Callable[[], None]"])

    def holds(self, *memories: Memory) -> None:
        """Others wrote these."""
        self.memories |= {each.id: each for each in memories}

    def writes(self, whole: Memory, *, answered: bool = True) -> None:
        """A write of this store, whose answer has the content or not."""
        self.holds(whole)
        self.recall.wrote(whole if answered else without_content(whole))

    def deletes(self, memory_id: str) -> None:
        """A deletion by this store."""
        del self.memories[memory_id]
        self.recall.deleted(memory_id)

    def meanwhile(self, *happenings: Callable[[], None]) -> None:
        """What happens on the way of the next answers, one each."""
        self._meanwhile += happenings

    async def list_all(self) -> list[Memory]:
        return self._answer("list", list(self.memories.values()))

    async def read(self, memory_id: str) -> Memory | None:
        return self._answer(memory_id, self.memories.get(memory_id))

    def _answer(self, asked: str, found: T) -> T:
        self.asked.append(asked)
        if self._meanwhile:
            self._meanwhile.pop(0)()
        return found

    async def finds(self, query: str) -> list[str]:
        """The contents that answer a question."""
        found = await self.recall.search(query, limit=10, list_all=self.list_all, read=self.read)
        return [each.content for each in found]


@pytest.fixture
def service(world: World) -> Service:
    """A service without memories."""
    time = Time()
    kind: Any = ClockedBlockingRuntime if world.is_sync else ClockedAnyioRuntime
    return Service(StoreRecall(kind.at(time)), time)


@pytest.mark.parametrize("is_first", [True, False])
async def test_what_was_written_while_all_were_listed_is_newer_than_the_list(
    service: Service, is_first: bool
) -> None:
    service.holds(
        memory("changed", "drinks tea"), memory("titled", "eats bread"), memory("gone", "has a cat")
    )
    if not is_first:
        assert await service.finds("tea") == ["drinks tea"]
        service.time.pass_by(SWEEP_SECONDS)
        service.holds(memory("titled", "eats rye"))

    def write() -> None:
        service.writes(memory("changed", "drinks milk"))
        service.writes(memory("made", "plays chess"))
        service.writes(attrs.evolve(service.memories["titled"], title="Lunch"), answered=False)
        service.deletes("gone")

    service.meanwhile(write)
    bread = service.memories["titled"].content
    assert await service.finds("tea milk naps chess") == ["drinks milk", "plays chess"]
    assert await service.finds("lunch") == [bread]
    assert service.asked == ["list"] * (1 if is_first else 2) + ["titled"]


async def test_what_was_written_while_it_was_read_is_read_again_if_its_content_is_not_known(
    service: Service,
) -> None:
    assert await service.finds("tea") == []
    tea = memory("one", "drinks tea", title="Breakfast")
    service.writes(tea, answered=False)
    service.meanwhile(lambda: service.writes(attrs.evolve(tea, title="Supper"), answered=False))
    assert await service.finds("breakfast") == []
    assert await service.finds("supper") == ["drinks tea"]
    assert service.asked == ["list", "one", "one"]


async def test_what_was_written_or_deleted_while_it_was_read_is_newer_than_what_was_read(
    service: Service,
) -> None:
    assert await service.finds("tea") == []
    service.writes(memory("one", "drinks tea", title="x"), answered=False)
    service.writes(memory("two", "drinks tea too", title="x"), answered=False)
    service.meanwhile(
        lambda: service.writes(memory("one", "drinks milk")),
        lambda: service.deletes("two"),
    )
    assert await service.finds("drinks") == ["drinks milk"]
    assert service.asked == ["list", "one", "two"]


async def test_a_title_given_while_another_memory_was_read_is_known(service: Service) -> None:
    service.holds(memory("known", "eats bread"))
    assert await service.finds("bread") == ["eats bread"]
    service.writes(memory("other", "drinks tea", title="x"), answered=False)
    service.meanwhile(lambda: service.writes(memory("known", "eats bread", title="Lunch"), answered=False))
    assert await service.finds("tea") == ["drinks tea"]
    assert await service.finds("lunch") == ["eats bread"]


async def test_a_write_that_was_broken_off_is_looked_at(service: Service) -> None:
    service.holds(memory("one", "drinks tea"))
    assert await service.finds("tea") == ["drinks tea"]
    with suppress(KeyboardInterrupt), service.recall.writing("one"):
        service.holds(memory("one", "drinks milk"))
        raise KeyboardInterrupt
    assert await service.finds("drinks") == ["drinks milk"]
    assert service.asked == ["list", "one"]


async def test_a_store_that_is_closed_while_a_memory_is_read_keeps_nothing(service: Service) -> None:
    assert await service.finds("tea") == []
    service.writes(memory("one", "drinks tea", title="x"), answered=False)
    service.meanwhile(service.recall.close)
    with pytest.raises(ClientClosedError):
        await service.finds("tea")
    assert await service.finds("tea") == ["drinks tea"]
    assert service.asked == ["list", "one", "list"]
