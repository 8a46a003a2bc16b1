"""Which passwords are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from memoram_local import RegistrationError

if TYPE_CHECKING:
    import httpx

    from memoram_local import MemoramLocal

COMMON = [
    "password",
    "Password1!",
    "12345678",
    "qwertyuiop",
    "iloveyou1",
    " pass word ",
    "aaaaaaaa",
    "abababab",
    "Sunshine2024",
    "memoram123",
    "grace.hopper",
    "Grace.Hopper@example.test",
]


@pytest.mark.parametrize("password", COMMON)
def test_what_is_guessed_first_is_refused(local: MemoramLocal, http: httpx.Client, password: str) -> None:
    email = "Grace.Hopper@example.test"
    page = http.post("/signup", data={"email": email, "password": password})

    assert page.status_code == 400
    assert "one of those that are guessed first" in page.text
    with pytest.raises(RegistrationError, match="guessed first"):
        local.create_user(email=email, password=password)


@pytest.mark.parametrize(
    "password",
    [
        "correct horse",
        "k7#vQ2!m",
        "sunshine over the bay",
        "memorandum of understanding",
        "x" * 8 + "yz" * 300,
    ],
)
def test_others_are_taken(local: MemoramLocal, password: str) -> None:
    local.create_user(email="ada@example.test", password=password)
