"""Base64url on the standard library and on pybase64: the same texts, the same bytes, the same refusals."""

from __future__ import annotations

import base64
import importlib.util
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memoram_async.crypto import base64_standard, base64url

if TYPE_CHECKING:
    from types import ModuleType

base64_fast = pytest.importorskip("memoram_async.crypto.base64_fast", exc_type=ImportError)

both = pytest.mark.parametrize("codec", [base64_standard, base64_fast], ids=["standard", "fast"])

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
IV, TAG = "B" * 16, "C" * 21 + "A"
NEARLY = st.text(st.sampled_from(ALPHABET + "+/=. \né\x00"), max_size=80)


@given(st.binary(max_size=200))
def test_both_write_what_the_rfc_says(data: bytes) -> None:
    text = base64.urlsafe_b64encode(data).rstrip(b"=").decode()
    for codec in (base64_standard, base64_fast):
        assert codec.encode(data) == text
        assert codec.decode(text) == data


@given(NEARLY)
def test_both_refuse_the_same_texts(text: str) -> None:
    assert base64_fast.decode(text) == base64_standard.decode(text)


@given(
    iv=st.text(st.sampled_from(ALPHABET), min_size=15, max_size=17),
    ciphertext=NEARLY,
    tag=st.text(st.sampled_from(ALPHABET + "=+"), min_size=21, max_size=23),
    dots=st.tuples(st.sampled_from(".-"), st.sampled_from("._")),
)
def test_both_read_the_same_ends_of_tokens(iv: str, ciphertext: str, tag: str, dots: tuple[str, str]) -> None:
    token = f"header..{iv}{dots[0]}{ciphertext}{dots[1]}{tag}"
    found = base64_standard.decode_sealed(token, 8)
    assert base64_fast.decode_sealed(token, 8) == found
    if found is not None:
        parts = [base64_standard.decode(part) for part in (iv, ciphertext, tag)]
        assert parts[1] is not None
        assert parts[2] is not None
        assert found == (parts[0], parts[1] + parts[2])


@given(
    st.binary(min_size=12, max_size=12),
    st.binary(min_size=1, max_size=99),
    st.binary(min_size=16, max_size=16),
)
def test_the_end_of_a_token_is_its_three_parts(iv: bytes, ciphertext: bytes, tag: bytes) -> None:
    token = ".".join(["h", "", *map(base64_standard.encode, (iv, ciphertext, tag))])
    for codec in (base64_standard, base64_fast):
        assert codec.decode_sealed(token, 3) == (iv, ciphertext + tag)
        assert codec.encode_token("h..", iv, ciphertext + tag) == token


@both
@pytest.mark.parametrize("text", ["Zm9vZ", "Zh", "Zm9", "Zg==", "Zm8=", "Zm****9v", "Zm+/", "/m9v", "Zm9v\n"])
def test_both_read_one_spelling_alone(codec: ModuleType, text: str) -> None:
    assert codec.decode(text) is None


@both
@pytest.mark.parametrize("last", ALPHABET)
def test_every_character_may_stand_at_the_end(codec: ModuleType, last: str) -> None:
    data = codec.decode(f"AAA{last}")
    assert codec.encode(data) == f"AAA{last}"
    token = codec.encode_token("h..", bytes(12), data + bytes(16))
    assert token == f"h..{'A' * 16}.AAA{last}.{'A' * 22}"


@both
@pytest.mark.parametrize("ciphertext", ["AA", "AAA", "AAAA", "AAAAAA"])
def test_a_ciphertext_has_at_least_one_byte(codec: ModuleType, ciphertext: str) -> None:
    assert codec.decode_sealed(f"h..{IV}.{ciphertext}.{TAG}", 3) == (
        codec.decode(IV),
        bytes(len(ciphertext) * 3 // 4) + codec.decode(TAG),
    )


@both
@pytest.mark.parametrize(
    "end",
    [
        "",
        IV,
        TAG,
        f"{IV}.{TAG}",
        f"{IV}..{TAG}",
        f"{IV}.A.{TAG}",
        f"{IV}.AB.{TAG}",
        f"{IV}.AAB.{TAG}",
        f"{IV}.AA=.{TAG}",
        f"{IV}.A=AA.{TAG}",
        f"{IV}.AA*A.{TAG}",
        f"{IV}.AA+A.{TAG}",
        f"{IV}-AAAA.{TAG}",
        f"{IV}.AAAA-{TAG}",
        f"{IV[1:]}*.AAAA.{TAG}",
        f"{IV[1:]}/.AAAA.{TAG}",
        f"{IV[1:]}=.AAAA.{TAG}",
        f"****{IV[4:]}.AAAA.{TAG}",
        f"{IV}.AA****AA.{TAG}",
        f"{IV}.AAAA.****{TAG[4:]}",
        f"*{IV[1:]}.AAAA.{TAG}",
        f"{IV}.AAAA.*{TAG[1:]}",
        f"{IV}.AAAA.+{TAG[1:]}",
        f"{IV}.AAAA.{TAG[1:]}B",
        f"{IV}.AAAA.{TAG[1:]}E",
        f"{IV}.AAAA.{TAG[2:]}==",
    ],
)
def test_one_fault_anywhere_spoils_the_end_of_a_token(codec: ModuleType, end: str) -> None:
    assert codec.decode_sealed(f"h..{end}", 3) is None


def test_what_is_no_ascii_has_no_end_of_a_token() -> None:
    for codec in (base64_standard, base64_fast):
        assert codec.decode_sealed(f"h..{'A' * 16}.\u00e4AAA.{'A' * 22}", 3) is None


def test_where_pybase64_is_missing_the_standard_library_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, base64_fast.__name__, None)
    specification = importlib.util.spec_from_file_location("without_pybase64", base64url.__file__)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    assert [getattr(module, name).__module__ for name in base64url.__all__] == [base64_standard.__name__] * 4
