"""Both directions against JOSE libraries in their default configuration."""

from __future__ import annotations

import json

import pytest
from joserfc import jwe as joserfc_jwe
from joserfc.jwk import OctKey
from jwcrypto import jwe as jwcrypto_jwe  # type: ignore[import-untyped]
from jwcrypto import jwk as jwcrypto_jwk

from memoram_async.crypto import EncryptionKey, Keyring, base64url, decrypt, encrypt

TEXTS = ["x", "Prefers window seats", "窓側の席", "a" * 40_000]
KEYS = [bytes(range(1, 17)), bytes(range(1, 25)), bytes(range(1, 33))]
ENCRYPTIONS = {16: "A128GCM", 24: "A192GCM", 32: "A256GCM"}


def ours(raw: bytes) -> EncryptionKey:
    return EncryptionKey.from_hex(raw.hex(), version=3)


def header_for(raw: bytes) -> dict[str, str]:
    return {"alg": "dir", "enc": ENCRYPTIONS[len(raw)], "kid": "3", "typ": "memoram-content+jwe"}


@pytest.mark.parametrize("text", TEXTS, ids=len)
@pytest.mark.parametrize("raw", KEYS, ids=len)
def test_joserfc_reads_what_we_write(raw: bytes, text: str) -> None:
    read = joserfc_jwe.decrypt_compact(encrypt(ours(raw), text), OctKey.import_key(raw))
    assert read.plaintext is not None
    assert read.plaintext.decode() == text


@pytest.mark.parametrize("text", TEXTS, ids=len)
@pytest.mark.parametrize("raw", KEYS, ids=len)
def test_we_read_what_joserfc_writes(raw: bytes, text: str) -> None:
    token = joserfc_jwe.encrypt_compact(header_for(raw), text.encode(), OctKey.import_key(raw))
    decrypted = decrypt(Keyring(ours(raw)), token)
    assert decrypted.text == text
    assert decrypted.bound


@pytest.mark.parametrize("text", TEXTS, ids=len)
@pytest.mark.parametrize("raw", KEYS, ids=len)
def test_jwcrypto_reads_what_we_write(raw: bytes, text: str) -> None:
    token = jwcrypto_jwe.JWE()
    token.deserialize(encrypt(ours(raw), text), jwcrypto_jwk.JWK(kty="oct", k=base64url.encode(raw)))
    assert token.payload.decode() == text


@pytest.mark.parametrize("text", TEXTS, ids=len)
@pytest.mark.parametrize("raw", KEYS, ids=len)
def test_we_read_what_jwcrypto_writes(raw: bytes, text: str) -> None:
    token = jwcrypto_jwe.JWE(text.encode(), json.dumps(header_for(raw)))
    token.add_recipient(jwcrypto_jwk.JWK(kty="oct", k=base64url.encode(raw)))
    decrypted = decrypt(Keyring(ours(raw)), token.serialize(compact=True))
    assert decrypted.text == text
    assert decrypted.bound


def test_a_token_of_a_program_that_knows_nothing_of_fields_is_read_as_unbound() -> None:
    raw = KEYS[2]
    token = joserfc_jwe.encrypt_compact({"alg": "dir", "enc": "A256GCM"}, b"text", OctKey.import_key(raw))
    decrypted = decrypt(Keyring(ours(raw)), token)
    assert decrypted.text == "text"
    assert not decrypted.bound


# --- AES Key Wrap, and the user in the header --------------------------------------------------


WRAPPINGS = {16: "A128KW", 24: "A192KW", 32: "A256KW"}


@pytest.mark.parametrize("raw", KEYS, ids=len)
def test_wrapped_keys_are_read_in_all_directions(raw: bytes) -> None:
    header = {**header_for(raw), "alg": WRAPPINGS[len(raw)]}
    mine = encrypt(ours(raw), "text", key_wrap=True)
    jwcrypto_key = jwcrypto_jwk.JWK(kty="oct", k=base64url.encode(raw))
    read = jwcrypto_jwe.JWE()
    read.deserialize(mine, jwcrypto_key)
    assert read.payload == b"text"
    if len(raw) != 24:  # joserfc does not recommend A192KW, and does nothing that it does not recommend
        assert joserfc_jwe.decrypt_compact(mine, OctKey.import_key(raw)).plaintext == b"text"
        token = joserfc_jwe.encrypt_compact(header, b"text", OctKey.import_key(raw))
        assert decrypt(Keyring(ours(raw)), token).text == "text"
    made = jwcrypto_jwe.JWE(b"text", json.dumps(header))
    made.add_recipient(jwcrypto_key)
    assert decrypt(Keyring(ours(raw)), made.serialize(compact=True)).bound


def test_a_token_that_names_its_user_is_read_by_jwcrypto() -> None:
    token = encrypt(ours(KEYS[2]), "text", user_id="user-1")
    read = jwcrypto_jwe.JWE()
    read.deserialize(token, jwcrypto_jwk.JWK(kty="oct", k=base64url.encode(KEYS[2])))
    assert read.payload == b"text"
    assert json.loads(read.objects["protected"])["sub"] == "user-1"
