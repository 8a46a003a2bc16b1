"""Reading a user's content, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import final

from memoram_async.core.errors import DecryptionError
from memoram_async.crypto.decrypted import Decrypted, Provenance
from memoram_async.crypto.header import DEFAULT_FIELD
from memoram_async.crypto.jwe_reader import TokenRules, read_known
from memoram_async.crypto.keyring import Keyring, keyring_misfit
from memoram_async.crypto.store_options import StoreOptions, check_store_options


@final
class ContentReader:
    """Turns stored content into text, as the options of a store say."""

    __slots__ = ("_options", "_rules")

    def __init__(self, options: StoreOptions) -> None:
        """A reader by these options.

        Raises:
            InvalidArgumentError: They are no `StoreOptions`.
        """
        self._options = options = check_store_options(options)
        self._rules = TokenRules(require_binding=options.require_binding)

    def quick(self, keyring: Keyring) -> Callable[[str], tuple[str, Provenance] | None]:
        """What reads tokens like others that were read before, and answers None for everything else.

        Raises:
            InvalidArgumentError: `keyring` is not a `Keyring`.
        """
        refusal = keyring_misfit(keyring)
        if refusal is not None:
            del keyring
            raise refusal
        # Only the codec of our own remembers headers: what it knows is read without asking the others.
        return partial(read_known, keyring.known(DEFAULT_FIELD), rules=self._rules)

    def read(self, keyring: Keyring, text: str) -> Decrypted | DecryptionError:
        """The text of any content, or the error that refuses it, without a traceback.

        Raises:
            InvalidKeyError: The ring was closed.
            InvalidArgumentError: `keyring` is not a `Keyring`.
        """
        options = self._options
        try:
            return options.registry.read(
                keyring, text, policy=options.read_policy, require_binding=options.require_binding
            )
        except DecryptionError as error:
            # A traceback would keep every local variable of the way here alive with the error.
            return error.with_traceback(None)
        finally:
            del keyring, text  # a traceback may show what local variables hold
