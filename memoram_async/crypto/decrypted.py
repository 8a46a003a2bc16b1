"""What reading stored content yields."""

from __future__ import annotations

from typing import Self

import attrs

from memoram_async.core.secret import Confidential


@attrs.frozen
class Provenance:
    """How far a content can be trusted; many contents share one.

    Attributes:
        encrypted: Whether it was stored encrypted. False only where the policy let plaintext in.
        authenticated: Whether the encryption proves that nobody without the key made or changed it.
        bound: Whether it proves, too, that it was made for this field.
        codec: The name of the codec that read it, `plaintext` when none was needed.
        key_version: The version of the key that read it, None for plaintext.
    """

    encrypted: bool
    authenticated: bool
    bound: bool
    codec: str
    key_version: int | None


@attrs.frozen(eq=False)
class Decrypted(Confidential):
    """Stored content, turned back into text.

    It can be neither pickled nor copied, and its repr leaves the text out.

    Attributes:
        text: The content.
        encrypted: Whether it was stored encrypted. False only where the policy let plaintext in.
        authenticated: Whether the encryption proves that nobody without the key made or changed it.
        bound: Whether it proves, too, that it was made for this field.
        codec: The name of the codec that read it, `plaintext` when none was needed.
        key_version: The version of the key that read it, None for plaintext.
    """

    text: str = attrs.field(repr=False)
    encrypted: bool
    authenticated: bool
    bound: bool
    codec: str
    key_version: int | None

    @classmethod
    def of(cls, text: str, provenance: Provenance) -> Self:
        """A text of which that much is known."""
        return cls(
            text=text,
            encrypted=provenance.encrypted,
            authenticated=provenance.authenticated,
            bound=provenance.bound,
            codec=provenance.codec,
            key_version=provenance.key_version,
        )

    @property
    def provenance(self) -> Provenance:
        """How far the text can be trusted."""
        return Provenance(
            encrypted=self.encrypted,
            authenticated=self.authenticated,
            bound=self.bound,
            codec=self.codec,
            key_version=self.key_version,
        )
