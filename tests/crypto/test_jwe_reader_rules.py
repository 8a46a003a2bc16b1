from __future__ import annotations

import json
from typing import Any, cast

import pytest

from memoram_async.core.errors import (
    ContentTooLargeError,
    ContextMismatchError,
    DecryptionError,
    IntegrityError,
    MalformedCiphertextError,
    PlaintextDecodeError,
    UnknownKeyVersionError,
    UnsupportedAlgorithmError,
)
from memoram_async.crypto import (
    MAX_TOKEN_CHARS,
    CodecRegistry,
    EncryptionKey,
    JweCodec,
    Keyring,
    base64url,
    decrypt,
    encrypt,
)
from memoram_async.crypto.jwe import seal

KEY = EncryptionKey.from_hex("5c" * 32, version=3)
OTHER = EncryptionKey.from_hex("6d" * 32, version=4)
RING = Keyring(KEY, user_id="user-1")
IV = b"\x07" * 12
HEADER = {"alg": "dir", "enc": "A256GCM", "kid": "3", "typ": "memoram-content+jwe"}
UNBOUND = {"alg": "dir", "enc": "A256GCM", "kid": "3"}


def token_under(header: str | bytes | dict[str, Any], data: bytes = b"text") -> str:
    """A token that is authentic under any header, however strange."""
    if isinstance(header, dict):
        header = json.dumps(header)
    raw = header.encode() if isinstance(header, str) else header
    return seal(KEY.cipher, base64url.encode(raw).encode(), data, iv=IV)


def refusal(
    token: object,
    *,
    ring: Keyring = RING,
    field: str = "content",
    require_binding: bool = False,
    max_chars: int = MAX_TOKEN_CHARS,
) -> DecryptionError:
    with pytest.raises(DecryptionError) as caught:
        decrypt(ring, cast("str", token), field=field, require_binding=require_binding, max_chars=max_chars)
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None
    return caught.value


# --- the shape of the token --------------------------------------------------------------------


@pytest.mark.parametrize("token", ["", "plain text", "....", "a.b.c.d", "a.b.c.d.e.f", "....." * 1_000])
def test_a_text_that_is_no_token_is_malformed(token: str) -> None:
    assert type(refusal(token)) is MalformedCiphertextError


@pytest.mark.parametrize("token", [None, b"a..b.c.d", 7])
def test_a_token_must_be_text(token: object) -> None:
    assert type(refusal(token)) is MalformedCiphertextError


def test_the_encrypted_key_must_be_empty() -> None:
    header, _, *rest = encrypt(KEY, "text").split(".")
    assert type(refusal(".".join([header, "AAAA", *rest]))) is MalformedCiphertextError


@pytest.mark.parametrize("segment", [0, 2, 3, 4])
@pytest.mark.parametrize("suffix", ["=", "==", "\n", " ", "+", "/", "*", "é"])
def test_every_segment_must_be_strict_base64url(segment: int, suffix: str) -> None:
    segments = encrypt(KEY, "text").split(".")
    segments[segment] += suffix
    assert type(refusal(".".join(segments))) is MalformedCiphertextError


def test_a_second_spelling_of_the_same_tag_is_malformed() -> None:
    token = token_under(HEADER)
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    spelled_otherwise = token[:-1] + last[last.index(token[-1]) + 1]
    assert type(refusal(spelled_otherwise)) is MalformedCiphertextError


@pytest.mark.parametrize("size", [0, 8, 11, 13, 16])
def test_the_initialization_vector_must_have_twelve_bytes(size: int) -> None:
    sealed = KEY.cipher.encrypt(b"\x01" * 16, b"text", KEY.header("content"))
    segments = [base64url.encode(part) for part in (b"\x01" * size, sealed[:-16], sealed[-16:])]
    token = ".".join([KEY.header("content").decode(), "", *segments])
    assert type(refusal(token)) is MalformedCiphertextError


@pytest.mark.parametrize("size", [0, 4, 12, 15])
def test_the_tag_must_have_sixteen_bytes(size: int) -> None:
    *rest, tag = encrypt(KEY, "text").split(".")
    short = base64url.encode((base64url.decode(tag) or b"")[:size])
    assert type(refusal(".".join([*rest, short]))) is MalformedCiphertextError


def test_bytes_cannot_move_between_the_ciphertext_and_the_tag() -> None:
    header, empty, iv, _, _ = encrypt(KEY, "text").split(".")
    sealed = KEY.cipher.encrypt(IV, b"text", KEY.header("content"))
    moved = [base64url.encode(sealed[:-17]), base64url.encode(sealed[-17:])]
    assert type(refusal(".".join([header, empty, iv, *moved]))) is MalformedCiphertextError


def test_a_token_that_is_too_long_is_refused_before_it_is_read() -> None:
    token = encrypt(KEY, "text")
    assert type(refusal("e" * 2_000_001)) is ContentTooLargeError
    error = refusal(token, max_chars=len(token) - 1)
    assert type(error) is ContentTooLargeError
    assert str(error) == f"the ciphertext has more than {len(token) - 1} characters"
    assert decrypt(RING, token, max_chars=len(token)).text == "text"


def test_a_header_that_is_too_long_is_refused() -> None:
    rest = 768 - len(json.dumps({**HEADER, "x": ""}))
    fits = token_under({**HEADER, "x": "a" * rest})
    assert len(fits.split(".")[0]) == 1_024
    assert decrypt(RING, fits).text == "text"
    assert type(refusal(token_under({**HEADER, "x": "a" * (rest + 1)}))) is ContentTooLargeError


# --- the protected header ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"{",
        b"[]",
        b'"dir"',
        b"null",
        b"\xff\xfe",
        '{"alg":"dir","enc":"A256GCM"}'.encode("utf-16"),
        b'\xef\xbb\xbf{"alg":"dir","enc":"A256GCM"}',
        b'{"alg":"dir","enc":"A256GCM","kid":"3"} x',
        b'{"alg":"dir","enc":"A256GCM","kid":"3","x":NaN}',
        b'{"alg":"dir","enc":"A256GCM","kid":"3","x":-Infinity}',
        b'{"alg":"dir","enc":"A256GCM","kid":"3","x":\xff}',
        b'{"alg":"dir","enc":"A256GCM","kid":"3","x":' + b"[" * 33 + b"]" * 33 + b"}",
        b'{"alg":"dir","enc":"A256GCM","kid":"3","x":' + b'{"x":' * 32 + b"1" + b"}" * 33,
    ],
)
def test_the_header_must_be_a_small_json_object_in_utf_8(header: bytes) -> None:
    assert type(refusal(token_under(header))) is MalformedCiphertextError


def test_a_header_may_be_nested_for_a_while() -> None:
    header = b'{"alg":"dir","enc":"A256GCM","kid":"3","x":' + b"[" * 31 + b"]" * 31 + b"}"
    assert decrypt(RING, token_under(header)).text == "text"


@pytest.mark.parametrize(
    "header",
    [
        '{"alg":"dir","enc":"A256GCM","kid":"3","kid":"4"}',
        '{"alg":"dir","alg":"dir","enc":"A256GCM","kid":"3"}',
        '{"alg":"dir","enc":"A256GCM","kid":"3","k\\u0069d":"3"}',
        '{"alg":"dir","enc":"A256GCM","kid":"3","x":{"y":1,"y":1}}',
    ],
)
def test_a_member_that_appears_twice_is_refused(header: str) -> None:
    assert type(refusal(token_under(header))) is MalformedCiphertextError


@pytest.mark.parametrize(
    "change", [{"alg": None}, {"alg": 1}, {"enc": None}, {"enc": ["A256GCM"]}, {"typ": None}, {"typ": 1}]
)
def test_members_of_the_wrong_type_are_malformed(change: dict[str, Any]) -> None:
    assert type(refusal(token_under({**HEADER, **change}))) is MalformedCiphertextError


@pytest.mark.parametrize("name", ["alg", "enc"])
def test_a_header_must_name_its_algorithms(name: str) -> None:
    header = {member: value for member, value in HEADER.items() if member != name}
    assert type(refusal(token_under(header))) is MalformedCiphertextError


@pytest.mark.parametrize(
    "change",
    [
        {"alg": "none"},
        {"alg": "DIR"},
        {"alg": "RSA1_5"},
        {"alg": "A128KW"},
        {"alg": "A256GCMKW"},
        {"alg": "PBES2-HS256+A128KW", "p2c": 10_000_000},
        {"enc": "A128CBC-HS256"},
        {"enc": "a256gcm"},
        {"enc": "A128GCM"},
        {"enc": "A192GCM"},
        {"zip": "DEF"},
        {"zip": None},
        {"crit": ["exp"], "exp": 1},
        {"crit": []},
    ],
)
def test_other_algorithms_compression_and_critical_extensions_are_refused(change: dict[str, Any]) -> None:
    assert type(refusal(token_under({**HEADER, **change}))) is UnsupportedAlgorithmError


def test_members_without_a_meaning_here_are_ignored() -> None:
    header = {**HEADER, "cty": "text/plain", "jku": "https://evil.example/keys", "x": {"y": [1, 2.5, None]}}
    assert decrypt(RING, token_under(header)).text == "text"


# --- the key version ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kid", ["", "03", "+3", "-3", " 3", "3\n", "٣", "9007199254740992", "1" * 17, "key", "77c7e2b8-6e13"]
)
def test_a_kid_that_is_no_number_is_an_unknown_key(kid: str) -> None:
    error = refusal(token_under({**HEADER, "kid": kid}))
    assert isinstance(error, UnknownKeyVersionError)
    assert (error.version, error.key_version) == (kid, None)
    assert error.available == (3,)


@pytest.mark.parametrize("kid", [3, 3.0, None, True, ["3"]])
def test_a_kid_must_be_text(kid: object) -> None:
    assert type(refusal(token_under({**HEADER, "kid": kid}))) is MalformedCiphertextError


@pytest.mark.parametrize("kid", ["0", "4", "9007199254740991"])
def test_a_key_version_that_is_not_at_hand_is_unknown(kid: str) -> None:
    error = refusal(token_under({**HEADER, "kid": kid}))
    assert isinstance(error, UnknownKeyVersionError)
    assert (error.version, error.key_version) == (kid, int(kid))
    assert error.available == (3,)


def test_without_a_kid_the_only_key_is_tried() -> None:
    token = token_under({"alg": "dir", "enc": "A256GCM"})
    assert decrypt(RING, token).key_version == 3
    assert type(refusal(token, ring=Keyring(OTHER))) is IntegrityError


def test_without_a_kid_several_keys_are_not_guessed_among() -> None:
    error = refusal(token_under({"alg": "dir", "enc": "A256GCM"}), ring=Keyring(KEY, OTHER))
    assert isinstance(error, UnknownKeyVersionError)
    assert error.version == ""
    assert error.available == (3, 4)


def test_without_a_kid_all_keys_are_tried_on_request() -> None:
    token = token_under({"alg": "dir", "enc": "A256GCM"})
    ring = Keyring(KEY, OTHER)
    assert decrypt(ring, token, try_all_versions=True).key_version == 3
    reader = CodecRegistry(JweCodec(try_all_versions=True))
    assert reader.read(ring, token).key_version == 3
    with pytest.raises(UnknownKeyVersionError):
        CodecRegistry(JweCodec()).read(ring, token)


# --- what the token was made for ---------------------------------------------------------------


@pytest.mark.parametrize("typ", ["JOSE", "JWE", "JWT", "jwe", "application/jose"])
def test_a_type_that_names_no_field_is_read_as_unbound_content(typ: str) -> None:
    assert not decrypt(RING, token_under({**UNBOUND, "typ": typ})).bound


def test_a_missing_type_is_read_as_unbound_content() -> None:
    decrypted = decrypt(RING, token_under(UNBOUND))
    assert decrypted.authenticated
    assert not decrypted.bound


def test_unbound_tokens_stand_for_content_alone() -> None:
    assert type(refusal(token_under(UNBOUND), field="envelope")) is ContextMismatchError


def test_unbound_tokens_can_be_refused() -> None:
    assert type(refusal(token_under(UNBOUND), require_binding=True)) is ContextMismatchError
    assert decrypt(RING, encrypt(KEY, "text"), require_binding=True).bound


def test_a_token_of_one_field_does_not_stand_for_another() -> None:
    token = encrypt(KEY, "text", field="envelope")
    assert decrypt(RING, token, field="envelope").bound
    for _ in range(2):  # the second time, the header is known
        assert type(refusal(token)) is ContextMismatchError
        assert type(refusal(encrypt(KEY, "text"), field="envelope")) is ContextMismatchError


@pytest.mark.parametrize("typ", ["memoram-title+jwe", "memoram-content", "vc+jwt", ""])
def test_a_token_of_another_type_is_refused(typ: str) -> None:
    assert type(refusal(token_under({**HEADER, "typ": typ}))) is ContextMismatchError


def test_a_token_that_names_its_user_is_for_that_user_alone() -> None:
    mine, theirs = token_under({**HEADER, "sub": "user-1"}), token_under({**HEADER, "sub": "user-2"})
    assert decrypt(RING, mine).text == "text"
    assert type(refusal(theirs)) is ContextMismatchError
    assert type(refusal(token_under({**HEADER, "sub": 1}))) is MalformedCiphertextError
    assert decrypt(Keyring(KEY), theirs).text == "text"


# --- what is inside ----------------------------------------------------------------------------


def test_the_wrong_key_and_a_foreign_header_fail_alike() -> None:
    impostor = EncryptionKey.from_hex("7e" * 32, version=3)
    header = base64url.encode(json.dumps(HEADER).encode())
    _, *rest = encrypt(KEY, "text").split(".")
    for error in (refusal(encrypt(impostor, "text")), refusal(".".join([header, *rest]))):
        assert type(error) is IntegrityError
        assert str(error) == "the ciphertext was changed, or was made with another key"


def test_a_key_of_another_length_does_not_fit() -> None:
    short = EncryptionKey.from_hex("5c" * 16, version=3)
    assert type(refusal(encrypt(short, "text"))) is UnsupportedAlgorithmError


@pytest.mark.parametrize("data", [b"\xff", b"\xed\xa0\x80", b"\xc0\x80", b"text \xe2\x82"])
def test_authentic_bytes_that_are_not_utf_8_are_refused(data: bytes) -> None:
    error = refusal(token_under(HEADER, data))
    assert type(error) is PlaintextDecodeError
    assert str(error) == "the decrypted content is not UTF-8 text"


def test_an_authentic_empty_text_of_another_program_is_read() -> None:
    assert decrypt(RING, token_under(HEADER, b"")).text == ""


# --- what a refusal says -----------------------------------------------------------------------


def segments_of(token: str, **changed: str) -> str:
    """A token with some of its segments replaced."""
    names = ("header", "key", "iv", "ciphertext", "tag")
    return ".".join((dict(zip(names, token.split("."), strict=True)) | changed).values())


WRAPPED = encrypt(KEY, "text", key_wrap=True)


@pytest.mark.parametrize(
    ("message", "token"),
    [
        ("the ciphertext does not have five segments", "a.b.c.d"),
        ("the header of the ciphertext is too long", token_under({**HEADER, "x": "a" * 1_000})),
        ("the header of the ciphertext is not a base64url JSON object", token_under(b"{")),
        ("the header of the ciphertext lacks alg or enc", token_under({"alg": "dir"})),
        (
            "the ciphertext was encrypted neither directly nor with AES Key Wrap",
            token_under({**HEADER, "alg": "RSA1_5"}),
        ),
        ("the ciphertext was not encrypted with AES-GCM", token_under({**HEADER, "enc": "A128CBC-HS256"})),
        ("the ciphertext is compressed, which is never accepted", token_under({**HEADER, "zip": "DEF"})),
        ("the ciphertext demands extensions that are not known", token_under({**HEADER, "crit": []})),
        ("the kid of the ciphertext is not text", token_under({**HEADER, "kid": 3})),
        ("the header of the ciphertext has a member of the wrong type", token_under({**HEADER, "typ": 1})),
        ("the header of the ciphertext has a member of the wrong type", token_under({**HEADER, "sub": 1})),
        ("the ciphertext does not say which field it was encrypted for", token_under(UNBOUND)),
        (
            "the ciphertext was encrypted for another field or purpose",
            token_under({**HEADER, "typ": "vc+jwt"}),
        ),
        ("the ciphertext was encrypted for another user", token_under({**HEADER, "sub": "user-2"})),
        (
            "the content was encrypted with key version 4, which is not at hand",
            token_under({**HEADER, "kid": "4"}),
        ),
        ("the content was encrypted with a key that is not at hand", token_under({**HEADER, "kid": "key"})),
        (
            "the algorithm of the ciphertext does not fit the key's length",
            token_under({**HEADER, "enc": "A128GCM"}),
        ),
        ("the ciphertext is not canonical base64url", segments_of(WRAPPED, ciphertext="A")),
        ("the initialization vector or the tag has the wrong length", segments_of(WRAPPED, iv="AAAA")),
        ("the initialization vector or the tag has the wrong length", segments_of(WRAPPED, tag="AAAA")),
        (
            "the ciphertext has an encrypted key, which alg dir does not have",
            segments_of(token_under(HEADER), key="AAAA"),
        ),
        ("the encrypted key has another length than enc asks for", segments_of(WRAPPED, key="AAAA")),
    ],
)
def test_a_refusal_says_what_is_wrong(message: str, token: str) -> None:
    assert str(refusal(token, require_binding=True)) == message


def test_the_refusal_to_guess_says_so() -> None:
    token = token_under({"alg": "dir", "enc": "A256GCM"})
    assert str(refusal(token, ring=Keyring(KEY, OTHER))) == (
        "the content does not name its key version, and there are several"
    )
