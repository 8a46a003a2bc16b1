"""How secrets are kept: never as they are.

Random secrets of 128 bits and more (keys, codes, tokens, session ids) cannot be guessed, so one SHA-256 is
enough and can be looked up. Passwords are chosen by people and get scrypt (RFC 7914) with a salt.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from memoram_local.randomness import Randomness

PasswordProfileName = Literal["strong", "fast"]


def digest(secret: str) -> str:
    """The form in which a random secret is stored and looked up."""
    # Lone surrogates can come in with JSON; they match nothing, but must not break the lookup.
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def same(left: str, right: str) -> bool:
    """Whether two digests are equal, in constant time."""
    return hmac.compare_digest(left.encode(), right.encode())


@dataclass(frozen=True, slots=True)
class PasswordProfile:
    """What one password hash costs (RFC 7914 section 2).

    Attributes:
        cost: N, a power of two.
        block_size: r.
        parallelism: p.
    """

    cost: int
    block_size: int
    parallelism: int

    @classmethod
    def named(cls, name: PasswordProfileName) -> PasswordProfile:
        """`strong` for people, about 0.4 s a hash; `fast` for tests, which protects nothing."""
        return cls(2**15, 8, 3) if name == "strong" else cls(2**4, 1, 1)

    def derive(self, password: str, salt: bytes) -> bytes:
        """The 32 octets that scrypt derives. Slow on purpose: never on an event loop."""
        return hashlib.scrypt(
            password.encode("utf-8", "surrogatepass"),
            salt=salt,
            n=self.cost,
            r=self.block_size,
            p=self.parallelism,
            maxmem=self.cost * self.block_size * 256,
            dklen=32,
        )


def hash_password(password: str, *, profile: PasswordProfile, randomness: Randomness) -> str:
    """Hash a password with a fresh salt, together with what is needed to check it later."""
    salt = randomness.octets(16)
    parameters = f"{profile.cost}${profile.block_size}${profile.parallelism}"
    return f"scrypt${parameters}${salt.hex()}${profile.derive(password, salt).hex()}"


def verify_password(password: str, stored: str | None, *, profile: PasswordProfile) -> bool:
    """Whether the password is the one whose hash is stored.

    Args:
        password: What was typed.
        stored: What `hash_password` gave; None when there is no such account, which costs the same time so
            that the answer's delay does not tell who has one.
        profile: What the check costs when nothing is stored.
    """
    if stored is None:
        profile.derive(password, b"no such account.")
        return False
    _, cost, block_size, parallelism, salt, expected = stored.split("$")
    kept = PasswordProfile(int(cost), int(block_size), int(parallelism))
    return hmac.compare_digest(kept.derive(password, bytes.fromhex(salt)), bytes.fromhex(expected))
