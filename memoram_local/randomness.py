"""The one source of randomness of a platform, and the shape of what is drawn from it."""

from __future__ import annotations

import random
import secrets
import threading
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class State:
    """What the draws of a seeded source depend on.

    Attributes:
        own: Of the source itself; None without a seed.
        streams: Of its streams, in the order in which they were made.
    """

    own: tuple[Any, ...] | None = field(repr=False)
    streams: tuple[State, ...] = field(repr=False)


class Randomness:
    """Draws identifiers, keys and codes.

    Without a seed everything comes from the operating system. With one, the same draws give the same
    values, for tests alone: such secrets can be guessed. All its methods may be called from any thread.

    Args:
        seed: Makes the draws repeatable.
    """

    def __init__(self, seed: str | int | None = None) -> None:
        self._seed = seed
        self._lock = threading.Lock()
        self._streams: list[Randomness] = []
        self._seeded = None if seed is None else random.Random(f"memoram-local:{seed}")  # noqa: S311 - asked for

    def stream(self, name: str) -> Randomness:
        """An independent source, so that its draws do not shift those of this one."""
        stream = Randomness(None if self._seed is None else f"{self._seed}:{name}")
        self._streams.append(stream)
        return stream

    def state(self) -> State:
        """What the draws to come depend on, those of the streams included; nothing without a seed."""
        with self._lock:
            own = None if self._seeded is None else self._seeded.getstate()
        return State(own, tuple(stream.state() for stream in self._streams))

    def restore(self, state: State) -> None:
        """Draw from now on what was drawn after this state was taken."""
        with self._lock:
            if self._seeded is not None and state.own is not None:
                self._seeded.setstate(state.own)
        for stream, its in zip(self._streams, state.streams, strict=False):
            stream.restore(its)

    def octets(self, count: int) -> bytes:
        """`count` random octets."""
        if self._seeded is None:
            return secrets.token_bytes(count)
        with self._lock:
            return self._seeded.randbytes(count)

    def hexadecimal(self, count: int) -> str:
        """`count` random octets as twice as many hexadecimal digits."""
        return self.octets(count).hex()

    def secret(self) -> str:
        """256 random bits in URL-safe base64, 43 characters: codes, tokens and session ids."""
        return urlsafe_b64encode(self.octets(32)).rstrip(b"=").decode("ascii")

    def uuid(self) -> str:
        """A random UUID (RFC 9562 version 4)."""
        return str(UUID(bytes=self.octets(16), version=4))

    def cuid(self) -> str:
        """25 characters that begin with `c`, like the ids of access requests and applications."""
        number = int.from_bytes(self.octets(16), "big")
        digits: list[str] = []
        for _ in range(24):
            number, digit = divmod(number, 36)
            digits.append(_BASE36[digit])
        return "c" + "".join(digits)

    def prefixed(self, prefix: str) -> str:
        """A prefix and 24 hexadecimal digits, like the ids of blobs (`mem_`) and tags (`tag_`)."""
        return prefix + self.hexadecimal(12)
