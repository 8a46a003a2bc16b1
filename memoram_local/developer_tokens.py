"""The JSON Web Tokens that applications get for their API key (RFC 7519)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from memoram_local.behaviour import behaviour

if TYPE_CHECKING:
    from memoram_local.clock import Clock
    from memoram_local.randomness import Randomness

DEFAULT_SECONDS = 3600
LONGEST_SECONDS = 24 * 3600

_ALGORITHMS = ["HS256"]
_ISSUER = "memoram-local"
_KEY_OCTETS = 32
_SECOND = 1_000_000


class TokenError(Exception):
    """The token proves nothing."""


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
    def issue(self, app_id: str, *, expires_in: int = DEFAULT_SECONDS) -> tuple[str, int]:
        """A token for an application.

        Args:
            app_id: The application.
            expires_in: Seconds, at least 1.

        Returns:
            The token and when it expires, in microseconds since 1970.
        """
        now = self._clock.micros()
        # Claims count whole seconds; rounding up never gives less than was promised.
        expires_at = -(-now // _SECOND) + min(expires_in, LONGEST_SECONDS)
        claims = {
            "iss": _ISSUER,
            "sub": app_id,
            "iat": now // _SECOND,
            "exp": expires_at,
            "jti": self._randomness.hexadecimal(8),
            "gen": self.generation,
        }
        token = jwt.encode({"alg": "HS256"}, claims, self._key, algorithms=_ALGORITHMS)
        return token, expires_at * _SECOND

    def app_id(self, token: str) -> str:
        """The application that a token proves.

        Raises:
            TokenError: The token is not ours, was changed, or has expired.
        """
        try:
            claims = jwt.decode(token, self._key, algorithms=_ALGORITHMS).claims
        except (JoseError, ValueError) as error:
            raise TokenError("The token is not valid.") from error
        app_id, expires_at = claims.get("sub"), claims.get("exp")
        if not isinstance(app_id, str) or not isinstance(expires_at, int):
            raise TokenError("The token is not valid.")
        generation = claims.get("gen", 0)
        if expires_at * _SECOND <= self._clock.micros() or generation != self.generation:
            raise TokenError("The token has expired.")
        return app_id
