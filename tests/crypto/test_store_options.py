"""How the content of a store is written and read: which options there are, and what they are turned into."""

from __future__ import annotations

from typing import Any

import pytest

from memoram_async.core.errors import InvalidArgumentError
from memoram_async.crypto import CodecRegistry, EncryptionKey, Keyring, StoreOptions, encrypt
from memoram_async.crypto.content_reader import ContentReader
from memoram_async.crypto.decrypted import Decrypted
from memoram_async.crypto.store_options import MAX_CONTENT_BYTES, check_store_options

KEYS = [EncryptionKey.from_hex(digit * 64, version=version) for version, digit in enumerate("12", 1)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"read_policy": "all"}, "read_policy must be one of 'encrypted-only', 'allow-plaintext'"),
        ({"on_undecryptable": None}, "on_undecryptable must be one of 'raise', 'skip', 'keep'"),
        ({"require_binding": 1}, "require_binding must be True or False"),
        ({"max_content_bytes": 0}, "max_content_bytes must be an integer from 1 to 1400000"),
        (
            {"max_content_bytes": MAX_CONTENT_BYTES + 1},
            "max_content_bytes must be an integer from 1 to 1400000",
        ),
        ({"max_content_bytes": True}, "max_content_bytes must be an integer from 1 to 1400000"),
        ({"codecs": "fernet"}, "codecs must be a sequence of names and codecs"),
        ({"codecs": 7}, "codecs must be a sequence of names and codecs"),
        ({"codecs": ["fernet", "fernet"]}, "codecs: two codecs have the same name"),
        (
            {"codecs": ["rot13"]},
            "codecs: there is no codec of that name: there are node_gcm_hex, node_gcm_b64, fernet",
        ),
        (
            {"codecs": [7]},
            (
                "codecs: a codec must be a name, or an object with name, authenticated, detect and decrypt, "
                "not int"
            ),
        ),
    ],
)
def test_an_option_that_cannot_be_used_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        StoreOptions(**options)
    assert str(caught.value) == message


@pytest.mark.parametrize("size", [1, MAX_CONTENT_BYTES])
def test_any_size_that_can_be_read_again_can_be_written(size: int) -> None:
    assert StoreOptions(max_content_bytes=size).max_content_bytes == size


def test_the_form_of_our_own_is_read_first_and_others_as_they_come() -> None:
    registry = StoreOptions(codecs=["fernet", "node_gcm_hex"]).registry
    assert [codec.name for codec in registry.codecs] == ["jwe", "fernet", "node_gcm_hex"]


class Unproven:
    """A codec that cannot tell whether content was changed."""

    name = "unproven"
    authenticated = False

    def detect(self, text: str) -> bool:
        return text == "?"

    def decrypt(self, keyring: Keyring, text: str, *, field: str) -> Decrypted:
        raise NotImplementedError  # it is only asked whether it may be registered


def test_an_unproven_codec_takes_a_permission() -> None:
    with pytest.raises(InvalidArgumentError, match=r"^codecs: a codec cannot detect changed content: "):
        StoreOptions(codecs=[Unproven()])
    assert (
        StoreOptions(codecs=[Unproven()], allow_unauthenticated=True).registry.codecs[-1].name == "unproven"
    )


def test_options_are_checked_where_they_are_handed_over() -> None:
    options = StoreOptions(key_wrap=True)
    assert check_store_options(None) == StoreOptions()
    assert check_store_options(None, default=options) is options
    assert check_store_options(options) is options
    with pytest.raises(InvalidArgumentError, match=r"^store_options must be StoreOptions, not dict$"):
        check_store_options({})


PLAIN = "Prefers window seats"


def test_a_reader_goes_by_its_options() -> None:
    ring = Keyring(KEYS[0])
    assert str(ContentReader(StoreOptions()).read(ring, PLAIN)).startswith(
        "the content is stored unencrypted"
    )
    read = ContentReader(StoreOptions(read_policy="allow-plaintext")).read(ring, PLAIN)
    assert isinstance(read, Decrypted)
    assert (read.text, read.encrypted, read.authenticated, read.bound) == (PLAIN, False, False, False)


def test_a_reader_knows_again_what_it_has_read() -> None:
    ring = Keyring(KEYS[0])
    reader = ContentReader(StoreOptions(require_binding=True))
    token = encrypt(KEYS[0], PLAIN)
    assert reader.quick(ring)(token) is None
    assert isinstance(reader.read(ring, token), Decrypted)
    known = reader.quick(ring)(encrypt(KEYS[0], "again"))
    assert known is not None
    assert (known[0], known[1].bound, known[1].key_version) == ("again", True, 1)


def test_a_registry_without_codecs_reads_our_own_form() -> None:
    assert [codec.name for codec in CodecRegistry().codecs] == ["jwe"]
