"""The API key of a client and its clones, which a rotation replaces."""

from __future__ import annotations

from typing import Final

from memoram_async.core.deadline import Deadline
from memoram_async.core.errors import ConfigurationError
from memoram_async.core.secret import Secret
from memoram_async.core.token import Use
from memoram_async.memory_api.arguments import AuthHeader

_PREFIXES: Final[dict[AuthHeader, str]] = {"authorization": "Bearer ", "x-api-key": ""}


class KeyCredentials:
    """A key that is just sent, in the one header field or the other."""

    def __init__(self, key: Secret | None, *, header: AuthHeader) -> None:
        self._header: AuthHeader = header
        self._use = None if key is None else self._sent(key, 1)

    @property
    def header(self) -> AuthHeader:
        """The header field that it is sent in."""
        return self._header

    def peek(self) -> Use | None:
        """The key."""
        return self._use

    def latest(self) -> Use | None:
        """The key, which a rotation may have replaced since."""
        return self._use

    async def get(self, deadline: Deadline) -> Use:
        """The key.

        Raises:
            ConfigurationError: There is none.
        """
        del deadline
        if self._use is None:
            raise ConfigurationError(
                "no API key: pass api_key=... or set MEMORY_API_KEY (signup() "
                "gives the first one); nothing was sent"
            )
        return self._use

    def invalidate(self, use: Use) -> bool:
        """Whether another key has taken the place of one that was refused."""
        return self._use is not None and self._use.generation != use.generation

    def replace(self, key: Secret) -> None:
        """Send another key from now on."""
        self._use = self._sent(key, 1 if self._use is None else self._use.generation + 1)

    def begins_with(self, prefix: str | None) -> bool:
        """Whether the key begins like that, so far as the prefix shows it."""
        shown = (prefix or "").rstrip(".\u2026*")
        return self._use is not None and self._use.token.reveal().startswith(shown)

    def _sent(self, key: Secret, generation: int) -> Use:
        return Use(key, generation, self._header, _PREFIXES[self._header])
