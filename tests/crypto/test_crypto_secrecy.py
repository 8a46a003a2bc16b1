"""Neither keys nor content leave through an error, whatever renders it."""

from __future__ import annotations

import pickle
import traceback
from functools import partial
from typing import TYPE_CHECKING, NoReturn, cast

import pytest

from memoram_async.core.errors import CryptoError
from memoram_async.core.secret import Secret
from memoram_async.crypto import CodecRegistry, EncryptionKey, JweCodec, Keyring, decrypt, encrypt
from memoram_async.crypto.jwe import seal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from memoram_async.crypto import ReadPolicy

CANARY = "canary-in-the-content"
KEY_HEX = "c0ffee5e11" * 6 + "abcd"
READER = CodecRegistry()
BAD_KEYS = [KEY_HEX[:-1], KEY_HEX + "00", "0x" + KEY_HEX[2:], KEY_HEX[:-1] + "g", KEY_HEX[:-2] + "\n "]


def key() -> EncryptionKey:
    return EncryptionKey.from_hex(KEY_HEX, version=3)


def used_key() -> EncryptionKey:
    made = key()
    encrypt(made, "text")
    return made


def bad_key(number: int) -> EncryptionKey:
    return EncryptionKey.from_hex(BAD_KEYS[number], version=3)


def closed() -> Keyring:
    ring = Keyring(key())
    ring.close()
    return ring


def no_randomness(_size: int) -> bytes:
    message = "the source of randomness is broken"
    raise OSError(message)


def not_utf_8() -> str:
    return seal(key().cipher, key().header("content"), CANARY.encode() + b"\xff", iv=b"\x01" * 12)


def for_another_field() -> str:
    return encrypt(key(), CANARY, field="envelope")


class CarelessCodec:
    """A codec of someone else, which takes plaintext for its own and fails."""

    name = "careless"
    authenticated = True

    def detect(self, text: str) -> bool:
        return CANARY in text

    def decrypt(self, keyring: Keyring, text: str, *, field: str) -> NoReturn:
        del text
        message = "careless"
        raise CryptoError(message)


# Each makes its secrets itself, so that no frame of the test holds them.
FAILURES: dict[str, Callable[[], object]] = {
    **{f"bad key {number}": partial(bad_key, number) for number in range(len(BAD_KEYS))},
    "wrapped bad key": lambda: EncryptionKey.from_hex(Secret(KEY_HEX[:-1]), version=3),
    "bytes for a key": lambda: EncryptionKey.from_hex(cast("str", KEY_HEX.encode()), version=3),
    "bad version": lambda: EncryptionKey.from_hex(KEY_HEX, version=-1),
    "key for a version": lambda: EncryptionKey.from_hex(KEY_HEX, version=cast("int", Secret(KEY_HEX))),
    "conflict": lambda: Keyring(key()).with_key(EncryptionKey.from_hex(KEY_HEX[::-1], version=3)),
    "pickled key": lambda: pickle.dumps(key()),
    "pickled ring": lambda: pickle.dumps(Keyring(key())),
    "pickled result": lambda: pickle.dumps(decrypt(Keyring(key()), encrypt(key(), CANARY))),
    "lone surrogate": lambda: encrypt(key(), CANARY + "\ud800"),
    "lone surrogate, later": lambda: encrypt(used_key(), CANARY + "\ud800"),
    "too large, later": lambda: encrypt(used_key(), CANARY * 60_000),
    "too large": lambda: encrypt(key(), CANARY, max_bytes=3),
    "bytes for content": lambda: encrypt(key(), cast("str", CANARY.encode())),
    "bad field": lambda: encrypt(key(), CANARY, field="no field"),
    "broken randomness": lambda: encrypt(key(), CANARY, random=no_randomness),
    "short randomness": lambda: encrypt(key(), CANARY, random=lambda _: b"\x01"),
    "closed key encrypts": lambda: encrypt(closed().current, CANARY),
    "closed key decrypts": lambda: decrypt(closed(), encrypt(key(), CANARY)),
    "plaintext for a token": lambda: decrypt(Keyring(key()), CANARY),
    "plaintext of five parts": lambda: decrypt(Keyring(key()), f"{CANARY}.{CANARY}...{CANARY}"),
    "plaintext too long": lambda: decrypt(Keyring(key()), CANARY, max_chars=3),
    "not utf-8": lambda: decrypt(Keyring(key()), not_utf_8()),
    "another field": lambda: READER.read(Keyring(key()), for_another_field()),
    "not encrypted": lambda: READER.read(Keyring(key()), CANARY),
    "bytes to read": lambda: READER.read(Keyring(key()), cast("str", CANARY.encode())),
    "foreign": lambda: READER.read(Keyring(key()), f'{{"iv": "{CANARY}", "ct": "{CANARY}"}}'),
    "looks like a token": lambda: READER.read(Keyring(key()), f"eyJ{CANARY}....", policy="allow-plaintext"),
    "no policy": lambda: READER.read(Keyring(key()), CANARY, policy=cast("ReadPolicy", "none")),
    "unbound": lambda: CodecRegistry().read(
        Keyring(key()), seal(key().cipher, b"eyJ4IjoxfQ", CANARY.encode(), iv=b"\x01" * 12)
    ),
    "careless codec": lambda: CodecRegistry(JweCodec(), CarelessCodec()).read(Keyring(key()), CANARY),
}


def chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize("fail", FAILURES.values(), ids=FAILURES.keys())
def test_no_error_shows_a_key_or_content(fail: Callable[[], object]) -> None:
    with pytest.raises((CryptoError, OSError, TypeError, ValueError)) as caught:
        fail()
    error = caught.value
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    local_values = [value for frame in report.stack for value in (frame.locals or {}).values()]
    assert local_values
    shown = [*local_values, *(f"{one} {one!r} {one.args} {vars(one)}" for one in chain(error))]
    if isinstance(error, CryptoError):
        assert error.__cause__ is None
        assert error.__context__ is None
        shown.append(pickle.dumps(error).decode("latin-1"))
    for text in shown:
        assert CANARY not in text
        for secret in (KEY_HEX, KEY_HEX[:-2], KEY_HEX[2:], KEY_HEX[::-1], bytes.fromhex(KEY_HEX).hex()):
            assert secret.lower() not in text.lower()
        assert repr(bytes.fromhex(KEY_HEX))[2:-1] not in text


def test_a_working_key_ring_and_result_show_nothing() -> None:
    ring = Keyring(key())
    decrypted = decrypt(ring, encrypt(ring.current, CANARY))
    for shown in (repr(ring), repr(ring.current), repr(decrypted), repr(READER)):
        assert CANARY not in shown
        assert KEY_HEX not in shown
