"""What reading stored content yields."""

from __future__ import annotations

from typing import NoReturn

import attrs


@attrs.frozen(eq=False)
class Decrypted:
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

    def _refuse(self) -> NoReturn:
        message = "decrypted content can be neither pickled nor copied: move its text where you mean to"
        raise TypeError(message)

    def __reduce__(self) -> NoReturn:
        self._refuse()

    def __copy__(self) -> NoReturn:
        self._refuse()

    def __deepcopy__(self, memo: object) -> NoReturn:
        self._refuse()
