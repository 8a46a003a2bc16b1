"""What users of one application do at the same time, in tasks, in threads and in processes.

Every user acts for themselves alone, with an account of their own, and now and then brings back a flow that
somebody else began. Whatever comes of it, nobody may ever meet what is another user's.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import attrs
import httpx

from memoram_async import AccessError, MemoramError, OAuthError, OAuthFlowError
from memoram_sync import Memoram
from memoram_sync.runtime.coroutines import run
from tests.grants.worker import CONNECTIONS, grants_at
from tests.worlds import Lifted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.connection import Connection

BACK: Final = CONNECTIONS["redirect_uri"]
VERBS: Final = ("begin", "complete", "link", "store", "status", "disconnect")

Action = tuple[str, str]
"""A user, and one of the verbs."""


@attrs.frozen
class Person:
    """A user of the application.

    Attributes:
        account: The id of the account.
        memory_key: Its key.
        note: The one memory in it.
    """

    account: str
    memory_key: str
    note: str


def forged(owner: str, url: str) -> str:
    """A callback with a code that the authorization server never gave."""
    return f"{BACK}?code=forged&state={httpx.URL(url).params['state']}"


def _home(user: str) -> str:
    return f"/{user.encode().hex()}"


@attrs.define
class Crowd:
    """Users who act through the same connections.

    Attributes:
        people: By the application's ids.
        connections: Asynchronous or lifted.
        consent: Has the owner of a flow consent; where the browser comes back to.
        begun: Flows under way, and who began them.
        asked: Which access requests users were told of.
        faults: Where a user met what is another's.
    """

    people: dict[str, Person]
    connections: Any
    consent: Callable[[str, str], str] = forged
    begun: list[tuple[str, str]] = attrs.field(factory=list[tuple[str, str]])
    asked: set[tuple[str, str]] = attrs.field(factory=set[tuple[str, str]])
    faults: list[str] = attrs.field(factory=list[str])

    async def act(self, actions: Sequence[Action]) -> None:
        """Do one thing after another; what is refused is refused."""
        for user, verb in actions:
            try:
                await getattr(self, verb)(user)
            except AccessError as error:
                if error.request_id is not None:
                    self.asked.add((user, error.request_id))
            except MemoramError:
                pass  # the store was closed, or the flow is over: nobody has got anything

    async def begin(self, user: str) -> None:
        self.begun.append((user, await self.connections.begin(user, return_to=_home(user))))

    async def complete(self, user: str) -> None:
        """Bring back the flow that was begun last, whoever did."""
        if not self.begun:
            return
        owner, url = self.begun.pop()
        callback = self.consent(owner, url)
        try:
            status = await self.connections.complete(user, callback)
        except OAuthFlowError:
            return
        except OAuthError:
            status = None  # the code was exchanged, in vain
        if owner != user or (status is not None and status.return_to != _home(user)):
            self.faults.append(f"{user} completed a flow of {owner}")

    async def link(self, user: str) -> None:
        self._told(user, await self.connections.link(user, self.people[user].memory_key))

    async def status(self, user: str) -> None:
        self._told(user, await self.connections.status(user))

    async def disconnect(self, user: str) -> None:
        self._told(user, await self.connections.disconnect(user))

    def _told(self, user: str, status: Any) -> None:
        if status.request_id is not None:
            self.asked.add((user, status.request_id))

    async def store(self, user: str) -> None:
        """Read the one memory, which no other key decrypts."""
        person = self.people[user]
        store = await self.connections.store(user)
        found = store.user_id, [memory.content async for memory in store.list()]
        if found != (person.account, [person.note]):
            self.faults.append(f"{user} read {found}")
        store.close()


def act_in_threads(crowd: Crowd, scripts: Sequence[Sequence[Action]]) -> None:
    """Several threads act at the same time."""
    with ThreadPoolExecutor(len(scripts)) as pool:
        for acting in [pool.submit(run, crowd.act(actions)) for actions in scripts]:
            acting.result()


def act_in_process(
    people: dict[str, Person], settings: dict[str, Any], grants_url: str, orders: Connection
) -> None:
    """A process whose threads act as they are told, until None; it answers with what they met."""
    with grants_at(grants_url) as grants, Memoram(**settings) as client:
        connections = Lifted(client.connections(grants, **CONNECTIONS))
        make = partial(Crowd, people, connections)
        while (scripts := orders.recv()) is not None:
            crowd = make()
            act_in_threads(crowd, scripts)
            orders.send((crowd.asked, crowd.faults))
