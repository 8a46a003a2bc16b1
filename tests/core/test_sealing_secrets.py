"""Which secrets an application may seal with."""

from __future__ import annotations

import pytest

from memoram_async.core.errors import ConfigurationError
from memoram_async.core.sealing import no_secret, sealing_secrets, secret_bytes
from memoram_async.core.secret import Secret

KEY = Secret("mem_" + "k" * 48)


def read(value: object, *, name: str = "secret") -> list[bytes]:
    return [secret_bytes(secret) for secret in sealing_secrets(value, name=name, api_key=KEY)]


@pytest.mark.parametrize(
    ("value", "secrets"),
    [
        (None, []),
        ("s" * 32, [b"s" * 32]),
        ("ä" * 16, ["ä".encode() * 16]),
        (b"\xff" * 32, [b"\xff" * 32]),
        (Secret("s" * 32), [b"s" * 32]),
        (Secret(b"s" * 32), [b"s" * 32]),  # type: ignore[arg-type]
        (["n" * 32, b"o" * 32, Secret("p" * 32)], [b"n" * 32, b"o" * 32, b"p" * 32]),
        (("n" * 32,), [b"n" * 32]),
    ],
    ids=repr,
)
def test_text_bytes_and_sequences_of_them_are_secrets(value: object, secrets: list[bytes]) -> None:
    assert read(value) == secrets


@pytest.mark.parametrize(
    "value", ["", "s" * 31, "ä" * 15, b"s" * 31, ["n" * 32, "s"], [], 7, {"s" * 32: 1}, [None], "\ud83d" * 32]
)
def test_anything_else_is_refused(value: object) -> None:
    with pytest.raises(ConfigurationError, match=r"^secret (must be text or bytes|is empty).*token_urlsafe"):
        read(value)


def test_the_api_key_is_no_secret_to_seal_with() -> None:
    with pytest.raises(ConfigurationError, match="is the API key"):
        read([KEY.reveal()])


def test_a_masked_secret_is_none_to_seal_with() -> None:
    with pytest.raises(ConfigurationError, match=r"^secret is masked"):
        read("*" * 40)


def test_a_variable_may_hold_several() -> None:
    assert read(" " + "n" * 32 + "\n" + "o" * 32 + "\n", name="MEMORAM_SECRET") == [b"n" * 32, b"o" * 32]


def test_a_secret_that_was_passed_may_hold_spaces() -> None:
    assert read("n n" * 16) == [b"n n" * 16]


def test_without_a_secret_the_error_says_how_to_make_one() -> None:
    assert "MEMORAM_SECRET" in str(no_secret("sealing"))
