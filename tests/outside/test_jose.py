"""Tokens go both ways between Python and JavaScript: npm's jose, and WebCrypto with nothing around it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Final

import pytest

from memoram_async.crypto import EncryptionKey, Keyring, decrypt, encrypt

HERE: Final = Path(__file__).parent / "jose"
TEXT: Final = "Prefers window seats \u2013 \u7a93\u5074 \U0001f469\u200d\U0001f680 \x00"


@pytest.mark.service("node", "tests/outside/jose/node_modules")
@pytest.mark.parametrize("size", [16, 32])
def test_tokens_are_read_in_both_languages(size: int) -> None:
    key = EncryptionKey(bytes(range(1, size + 1)), version=3)
    tokens = {
        "directly": encrypt(key, TEXT),
        "wrapped": encrypt(key, TEXT, key_wrap=True),
        "bound to the user": encrypt(key, TEXT, user_id="user-1"),
        "another field": encrypt(key, TEXT, field="envelope"),
        "long": encrypt(key, TEXT * 2_000),
    }
    done = subprocess.run(
        ["node", "exchange.mjs"],  # noqa: S607 - found on the path, as the mark says
        cwd=HERE,
        input=json.dumps({"key": key.to_hex().reveal(), "text": TEXT, "tokens": tokens}),
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    expected = {name: TEXT * 2_000 if name == "long" else TEXT for name in tokens}
    assert answer["jose"] == expected
    assert answer["webcrypto"] == expected
    for name, token in answer["written"].items():
        decrypted = decrypt(Keyring(key, user_id="user-1"), token)
        assert (decrypted.text, decrypted.bound, decrypted.key_version) == (TEXT, True, 3), name
