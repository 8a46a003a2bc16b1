"""The JSON Web Tokens that applications get for their API key (RFC 7519)."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, NamedTuple

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from memoram_local.behaviour import behaviour
from memoram_local.hashing import digest

if TYPE_CHECKING:
    from memoram_local.clock import Clock
    from memoram_local.randomness import Randomness

DEFAULT_SECONDS = 3600
LONGEST_SECONDS = 24 * 3600

_ALGORITHMS = ["HS256"]
_ISSUER = "memoram-local"
_KEY_OCTETS = 32
_SECOND = 1_000_000
# An application has few tokens that are good at a time; a forgotten one is checked once more.
_REMEMBERED: Final = 256


class TokenError(Exception):
    """The token proves nothing."""


class Caller(NamedTuple):
    """Whom a token proves.

    Attributes:
        app_id: The application.
        key_id: The API key that the token was made from; it may have been revoked since.
    """

    app_id: str
    key_id: str


class _Claims(NamedTuple):
    caller: Caller
    expires_at: int
    generation: object


class DeveloperTokens:
    """Issues and checks tokens.

    Args:
        key: Exactly 32 random octets. An empty or short key would let anyone sign.
        clock: Says when tokens expire.
        randomness: Makes every token another one.

    Attributes:
        generation: Only tokens of this one are good. It ends by `expire_all`, and is not kept with the data.

    Raises:
        ValueError: The key has another length.
    """

    def __init__(self, *, key: bytes, clock: Clock, randomness: Randomness) -> None:
        if len(key) != _KEY_OCTETS:
            raise ValueError(f"the signing key must have {_KEY_OCTETS} octets")
        self._key = OctKey.import_key(key)
        self._clock = clock
        self._randomness = randomness
        self._newest_generation = self.generation = 0
        self._lock = threading.Lock()
        # What tokens with a good signature say, by their digests: no token is kept, and none that is made up.
        self._claims: dict[str, _Claims] = {}

    def expire_all(self) -> None:
        """Make all tokens that were issued until now worthless."""
        self._newest_generation += 1
        self.generation = self._newest_generation

    def back_to(self, generation: int) -> None:
        """Let the tokens of a generation, and no others, be good again."""
        self.generation = generation
        self._newest_generation = max(self._newest_generation, generation)

    @behaviour("create-token.default", "invented", "Without expires_in a token is good for an hour.")
    @behaviour("create-token.bounds", "invented", "expires_in is honoured up to 24 hours, then cut to that.")
    def issue(self, caller: Caller, *, expires_in: int = DEFAULT_SECONDS) -> tuple[str, int]:
        """A token for an application.

        Args:
            caller: The application and its key.
            expires_in: Seconds, at least 1.

        Returns:
            The token and when it expires, in microseconds since 1970.
        """
        now = self._clock.micros()
        # Claims count whole seconds; rounding up never gives less than was promised.
        expires_at = -(-now // _SECOND) + min(expires_in, LONGEST_SECONDS)
        claims = {
            "iss": _ISSUER,
            "sub": caller.app_id,
            "key": caller.key_id,
            "iat": now // _SECOND,
            "exp": expires_at,
            "jti": self._randomness.hexadecimal(8),
            "gen": self.generation,
        }
        token = jwt.encode({"alg": "HS256"}, claims, self._key, algorithms=_ALGORITHMS)
        return token, expires_at * _SECOND

    def caller(self, token: str) -> Caller:
        """Whom a token proves. Whether its key was revoked since, the store knows.

        Raises:
            TokenError: The token is not ours, was changed, or has expired.
        """
        claims = self._claims_of(token)
        if claims.expires_at * _SECOND <= self._clock.micros() or claims.generation != self.generation:
            raise TokenError("The token has expired.")
        return claims.caller

    def _claims_of(self, token: str) -> _Claims:
        # Applications send one token again and again, and checking a signature is dear.
        its_digest = digest(token)
        claims = self._claims.get(its_digest)
        if claims is None:
            claims = self._checked(token)
            with self._lock:
                if len(self._claims) >= _REMEMBERED:
                    del self._claims[next(iter(self._claims))]
                self._claims[its_digest] = claims
        return claims

    def _checked(self, token: str) -> _Claims:
        try:
            claims = jwt.decode(token, self._key, algorithms=_ALGORITHMS).claims
        except (JoseError, ValueError) as error:
            raise TokenError("The token is not valid.") from error
        app_id, key_id, expires_at = claims.get("sub"), claims.get("key"), claims.get("exp")
        if not isinstance(app_id, str) or not isinstance(key_id, str) or not isinstance(expires_at, int):
            raise TokenError("The token is not valid.")
        return _Claims(Caller(app_id, key_id), expires_at, claims.get("gen", 0))
