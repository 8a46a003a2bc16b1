"""What reading stored content yields."""

from __future__ import annotations

import attrs

from memoram_async.core.secret import Confidential


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
