"""Guessing passwords: so often, and so many at a time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from memoram_local.errors import TooManyAttemptsError
from memoram_local.limits import Limits
from memoram_local.services.sign_ins import SignIns

if TYPE_CHECKING:
    import httpx

    from memoram_local import Clock, User

PASSWORD = "correct horse"


def sign_in(http: httpx.Client, email: str, password: str) -> httpx.Response:
    return http.post("/signin", data={"email": email, "password": password})


def test_after_ten_wrong_ones_even_the_right_one_is_not_checked_for_a_while(
    http: httpx.Client, user: User, stranger: User, clock: Clock
) -> None:
    for number in range(10):
        assert sign_in(http, user.email.upper(), f"wrong {number}").status_code == 400

    answer = sign_in(http, user.email, PASSWORD)

    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "300"
    assert sign_in(http, stranger.email, PASSWORD).status_code == 303
    clock.advance(301)
    assert sign_in(http, user.email, PASSWORD).status_code == 303


def test_the_right_one_forgets_the_wrong_ones(http: httpx.Client, user: User) -> None:
    for _ in range(3):
        for number in range(9):
            sign_in(http, user.email, f"wrong {number}")
        assert sign_in(http, user.email, PASSWORD).status_code == 303


def test_one_address_cannot_go_through_many_accounts(http: httpx.Client, user: User) -> None:
    for number in range(100):
        assert sign_in(http, f"nobody{number}@example.test", "wrong").status_code == 400

    assert sign_in(http, user.email, PASSWORD).status_code == 429


def test_sixty_guesses_at_once_get_no_further_than_ten(clock: Clock) -> None:
    sign_ins = SignIns(clock=clock, limits=Limits())
    everybody = threading.Barrier(60)

    def guess(_number: int) -> bool:
        everybody.wait(10)
        try:
            with sign_ins.attempt("ada@example.test", ""):
                return True
        except TooManyAttemptsError:
            return False

    with ThreadPoolExecutor(60) as guessing:
        assert sum(guessing.map(guess, range(60))) == 10


def test_so_many_are_hashed_at_a_time(clock: Clock) -> None:
    sign_ins = SignIns(clock=clock, limits=Limits(passwords_at_once=2))
    inside, most, lock = 0, 0, threading.Lock()

    def hash_one(_number: int) -> None:
        nonlocal inside, most
        with sign_ins.turn():
            with lock:
                inside += 1
                most = max(most, inside)
            threading.Event().wait(0.005)
            with lock:
                inside -= 1

    with ThreadPoolExecutor(20) as hashing:
        list(hashing.map(hash_one, range(20)))
    assert most == 2


def test_guesses_where_the_password_is_asked_for_again_count_for_their_address(
    http: httpx.Client, user: User, stranger: User
) -> None:
    """Account and address, as at the sign-in: an account that is signed in is a place to guess from too."""
    for number in range(90):
        assert sign_in(http, f"nobody{number}@example.test", "wrong").status_code == 400
    assert sign_in(http, user.email, PASSWORD).status_code == 303

    forms = ["/dashboard/key/versions", "/dashboard/key/rotate", "/dashboard/account/delete"]
    for number in range(9):
        assert http.post(forms[number % 3], data={"password": f"wrong {number}"}).status_code == 403

    assert sign_in(http, "nobody@example.test", "wrong").status_code == 400
    assert sign_in(http, stranger.email, PASSWORD).status_code == 429
