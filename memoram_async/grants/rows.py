"""The rows of one application in a grant store: sealed, each bound to its user and name."""

from __future__ import annotations

from typing import Final

import attrs

from memoram_async.core.errors import ConfigurationError
from memoram_async.core.grants import Grant, read_grant, row_name
from memoram_async.core.oauth import FLOW_SECONDS
from memoram_async.core.pending_flows import OpenFlows, PendingFlow, read_open_flows, read_pending
from memoram_async.core.secret import Secret
from memoram_async.crypto.secret_seal import SecretSeal
from memoram_async.grants.store import GrantStore

_MOST_TRIES: Final = 100


@attrs.frozen(eq=False)
class Row:
    """A user's grant as it was read.

    Attributes:
        value: The sealed value; None if there is none.
        grant: What it says.
    """

    value: bytes | None = attrs.field(repr=False)
    grant: Grant


@attrs.frozen(eq=False)
class TakenFlow:
    """A flow that was taken out of the store, and can be put back.

    Attributes:
        name: Its row.
        value: Its sealed value.
        pending: What it says.
    """

    name: str
    value: bytes = attrs.field(repr=False)
    pending: PendingFlow


class GrantRows:
    """Reads and writes the rows; every method blocks."""

    def __init__(self, store: GrantStore, seal: SecretSeal, *, endpoint: str) -> None:
        """The rows in a store.

        Args:
            store: Where they lie.
            seal: What they are sealed with.
            endpoint: The authorization server's address for users, which flows are bound to.
        """
        self._store = store
        self._seal = seal
        self._endpoint = endpoint

    # --- grants --------------------------------------------------------------------------------

    def read(self, user: str) -> Row:
        """A user's grant; an empty one if there is none.

        Raises:
            ConfigurationError: It cannot be opened.
        """
        value = self._store.get(row_name("grant", user))
        if value is None:
            return Row(None, Grant())
        opened = self._opened(value, "grant", user)
        if opened is None:
            raise ConfigurationError(
                "the grant of this user cannot be opened: it was sealed with another secret or for another "
                "user. Pass all secrets that are in use, the newest one first, or forget the grant with "
                "disconnect(user)"
            )
        return Row(value, read_grant(opened))

    def swap(self, user: str, row: Row, grant: Grant) -> Row | None:
        """Put a grant in the place of the one that was read; None if that is not there any more."""
        value = self._sealed(Secret(grant.written().decode()), "grant", user)
        if self._store.swap(row_name("grant", user), row.value, value):
            return Row(value, grant)
        return None

    def forget(self, user: str) -> Grant | None:
        """Delete a user's grant and open flows.

        Returns:
            What the grant said, an empty one if it could not be opened; None if there was none.
        """
        for name in self._flows(user)[1].flows:
            self._delete(name[0])
        self._delete(row_name("flows", user))
        value = self._delete(row_name("grant", user))
        if value is None:
            return None
        opened = self._opened(value, "grant", user)
        return Grant() if opened is None else read_grant(opened)

    def _delete(self, name: str) -> bytes | None:
        """The value that was deleted."""
        for _ in range(_MOST_TRIES):
            value = self._store.get(name)
            if value is None or self._store.swap(name, value, None):
                return value
        raise _stuck()

    # --- flows ---------------------------------------------------------------------------------

    def begin(self, pending: PendingFlow, *, wall: float) -> None:
        """Keep a flow until its user is back."""
        state = pending.flow.state.reveal()
        name = row_name("flow", state)
        for _ in range(_MOST_TRIES):
            before, flows = self._flows(pending.user)
            after, dropped = flows.with_flow(name, ends=pending.ends(), wall=wall)
            value = self._sealed(Secret(after.written().decode()), "flows", pending.user)
            if self._store.swap(row_name("flows", pending.user), before, value, ttl=FLOW_SECONDS):
                break
        else:
            raise _stuck()
        for each in dropped:
            self._delete(each)
        value = self._sealed(Secret(pending.written().decode()), "flow", state)
        if not self._store.swap(name, None, value, ttl=FLOW_SECONDS):
            raise _stuck()

    def _flows(self, user: str) -> tuple[bytes | None, OpenFlows]:
        """The newest flows of a user; those that another secret sealed are as good as none."""
        value = self._store.get(row_name("flows", user))
        opened = None if value is None else self._opened(value, "flows", user)
        return value, OpenFlows() if opened is None else read_open_flows(opened)

    def take(self, state: Secret) -> TakenFlow | None:
        """Take out the flow with this state; None if there is none, or somebody was quicker."""
        name = row_name("flow", state.reveal())
        value = self._store.get(name)
        opened = None if value is None else self._opened(value, "flow", state.reveal())
        if value is None or opened is None or not self._store.swap(name, value, None):
            return None
        return TakenFlow(name, value, read_pending(opened, endpoint=self._endpoint))

    def put_back(self, taken: TakenFlow, *, wall: float) -> None:
        """Put back a flow whose code was certainly not spent."""
        remaining = taken.pending.ends() - wall
        if remaining > 0:
            self._store.swap(taken.name, None, taken.value, ttl=remaining)

    # --- seals -----------------------------------------------------------------------------

    def _context(self, kind: str, key: str) -> bytes:
        """What a row is bound to: what it is, and whose; a flow to its authorization server as well."""
        return f"{kind} {self._endpoint if kind == 'flow' else ''} {key}".encode()

    def _sealed(self, data: Secret, kind: str, key: str) -> bytes:
        return self._seal.seal(data.reveal().encode(), context=self._context(kind, key)).encode()

    def _opened(self, value: bytes, kind: str, key: str) -> Secret | None:
        data = self._seal.open(value.decode("ascii", "replace"), context=self._context(kind, key))
        return None if data is None else Secret(data.decode())


def _stuck() -> ConfigurationError:
    return ConfigurationError(
        f"the grant store refused {_MOST_TRIES} swaps in a row: its swap must answer True when the expected "
        "value was there and was replaced"
    )
