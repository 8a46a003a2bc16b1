"""What tests do with a platform beside what people do on its pages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from memoram_local.controls.decisions import Decisions
from memoram_local.controls.fault_plan import Faults
from memoram_local.controls.history import History
from memoram_local.controls.journal import Journal
from memoram_local.controls.memory_api import MemoryApiControls
from memoram_local.controls.seed import plant, read_plan

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    from memoram_local.controls.journal import JournalEntry
    from memoram_local.controls.policies import Policy
    from memoram_local.controls.seed import Seeded
    from memoram_local.randomness import State
    from memoram_local.sealing import MasterKey
    from memoram_local.services.services import Services


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that a platform held at one moment, users' keys included."""

    store: bytes = field(repr=False)
    randomness: State = field(repr=False)
    polls: Mapping[str, int] = field(repr=False)
    token_generation: int
    master_key: MasterKey = field(repr=False)


class Controls:
    """The part of `MemoramLocal` that is for tests. All its methods may be called from any thread."""

    def __init__(self, services: Services, *, policy: Policy | None) -> None:
        self._services = services
        self._history = History(services.database)
        self._faults = Faults(self._history)
        self._journal = Journal()
        self._decisions = Decisions(services, self._history, policy)
        self._memory_api = MemoryApiControls(services, self._history)
        self._first_randomness = services.randomness.state()

    @property
    def faults(self) -> Faults:
        """What goes wrong, and with which requests."""
        return self._faults

    @property
    def journal(self) -> Journal:
        """The latest requests, with secrets and memories left out."""
        return self._journal

    @property
    def memory_api(self) -> MemoryApiControls:
        """The second service: its organizations, keys and limits."""
        return self._memory_api

    @property
    def policy(self) -> Policy:
        """Who decides access requests that no person decides; set it to change that."""
        return self._decisions.policy

    @policy.setter
    def policy(self, policy: Policy) -> None:
        self._decisions.policy = policy

    def expire_tokens(self) -> None:
        """Let all developer tokens that were issued until now expire."""
        self._services.tokens.expire_all()

    def wait_for_request(
        self,
        operation: str | None = None,
        *,
        method: str | None = None,
        path: str | None = None,
        status: int | None = None,
        count: int = 1,
        timeout: float = 5,
        over: bool = True,
    ) -> JournalEntry:
        """Wait, blocking, until so many requests have come that fit all that is given.

        See `Journal.wait_for`. In an event loop, await `wait_for_request_async` instead.
        """
        return self._journal.wait_for(
            operation, method=method, path=path, status=status, count=count, timeout=timeout, over=over
        )

    async def wait_for_request_async(
        self,
        operation: str | None = None,
        *,
        method: str | None = None,
        path: str | None = None,
        status: int | None = None,
        count: int = 1,
        timeout: float = 5,
        over: bool = True,
    ) -> JournalEntry:
        """`wait_for_request` in an event loop, asyncio's or trio's, which goes on meanwhile."""
        return await self._journal.wait_for_async(
            operation, method=method, path=path, status=status, count=count, timeout=timeout, over=over
        )

    def reset(self) -> None:
        """Make it as good as new: an empty store, no faults, an empty journal, and every token expired.

        A seeded platform draws the same ids and keys again. The policy stays, and so does the clock, which
        never goes back. Requests that are under way come before or after it, never in between.
        """
        self._faults.clear()
        self._services.database.clear()
        self._services.activity.forget()
        self._services.randomness.restore(self._first_randomness)
        self._services.tokens.expire_all()
        self._services.memory_api.limiter.forget()
        self._decisions.polls = {}
        self._history.forget()
        self._journal.clear()
        self._services.changes.tell_everybody()

    def snapshot(self) -> Snapshot:
        """Remember everything that it holds now: the store, good tokens, and what a seeded one draws next.

        Faults, the journal, the policy and the clock are no part of it.
        """
        self._services.activity.write_now()
        return Snapshot(
            self._services.database.state(),
            self._services.randomness.state(),
            self._decisions.polls,
            self._services.tokens.generation,
            self._services.database.seal.key,
        )

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a snapshot, of this platform or of another one of the same version.

        Requests that are under way come before or after it, never in between. Tokens are good again that were
        good then and have not expired by the clock; those of another platform are not.
        """
        self._services.database.put_state(snapshot.store, sealed_under=snapshot.master_key)
        self._services.activity.forget()
        self._services.randomness.restore(snapshot.randomness)
        self._services.tokens.back_to(snapshot.token_generation)
        self._services.memory_api.limiter.forget()
        self._decisions.polls = snapshot.polls
        self._history.forget()
        self._services.changes.tell_everybody()

    def load_seed(self, seed: Mapping[str, object] | str | PathLike[str]) -> Seeded:
        """Add the applications, users, access requests and memories that a seed names.

        Their ids, keys and secrets follow from the seed alone, and can be guessed: for tests and development.
        All of them are added or none. Loading the same seed again changes nothing.

        Args:
            seed: What a seed file holds, or the path of one; see `memoram_local.controls.seed`.

        Returns:
            What there is now, with all secrets.

        Raises:
            SeedError: The seed cannot be used; the message says where and why, in one line.
        """
        return plant(self._services, read_plan(seed))
