"""Parts of the platform that no request shows by itself."""

from __future__ import annotations

import inspect
import pkgutil
from importlib import import_module

import pytest

import memoram_local
from memoram_local.behaviour import Behaviour, behaviour, behaviours_of
from memoram_local.clock import Clock
from memoram_local.hashing import PasswordProfile, hash_password, verify_password
from memoram_local.randomness import Randomness
from memoram_local.services.developer_tokens import Caller, DeveloperTokens, TokenError


@behaviour("example.first", "documented", "Comes first.")
@behaviour("example.second", "invented", "Comes second.")
def marked() -> None: ...


def all_behaviours() -> list[Behaviour]:
    found: list[Behaviour] = []
    for module_info in pkgutil.walk_packages(memoram_local.__path__, "memoram_local."):
        if ".demo" in module_info.name or module_info.name.endswith("__main__"):
            continue
        module = import_module(module_info.name)
        for value in vars(module).values():
            if getattr(value, "__module__", None) != module.__name__:
                continue
            members = [value, *vars(value).values()] if inspect.isclass(value) else [value]
            for member in members:
                found += behaviours_of(member)
    return found


def test_marks_keep_the_order_in_which_they_are_written() -> None:
    assert [mark.name for mark in behaviours_of(marked)] == ["example.first", "example.second"]
    assert behaviours_of(test_marks_keep_the_order_in_which_they_are_written) == ()


def test_behaviours_have_names_of_their_own_and_say_one_sentence() -> None:
    found = all_behaviours()

    assert len(found) > 30
    assert len({mark.name for mark in found}) == len(found)
    assert all(mark.says.endswith(".") for mark in found)


def test_passwords_for_people_are_hashed_at_full_cost() -> None:
    assert PasswordProfile.named("strong") == PasswordProfile(2**15, 8, 3)


@pytest.mark.parametrize("password", ["correct horse", "ü🧳\0", ""])
def test_a_password_hash_knows_its_password(password: str) -> None:
    profile = PasswordProfile.named("fast")
    stored = hash_password(password, profile=profile, randomness=Randomness())

    assert verify_password(password, stored, profile=profile)
    assert not verify_password(password + "x", stored, profile=profile)
    assert not verify_password(password, None, profile=profile)


def test_equal_passwords_have_different_hashes() -> None:
    profile = PasswordProfile.named("fast")
    hashes = {hash_password("same", profile=profile, randomness=Randomness()) for _ in range(3)}

    assert len(hashes) == 3


@pytest.mark.parametrize("octets", [0, 16, 31])
def test_a_short_signing_key_is_refused(octets: int) -> None:
    with pytest.raises(ValueError, match="32 octets"):
        DeveloperTokens(key=b"x" * octets, clock=Clock(), randomness=Randomness())


def test_more_tokens_than_are_remembered_prove_what_they_prove() -> None:
    tokens = DeveloperTokens(key=b"x" * 32, clock=Clock(), randomness=Randomness())
    callers = [Caller(f"app {number}", "key") for number in range(600)]
    issued = {tokens.issue(caller)[0]: caller for caller in callers}

    for _ in range(2):
        assert {token: tokens.caller(token) for token in issued} == issued


def test_a_token_that_was_good_is_not_good_when_changed() -> None:
    tokens = DeveloperTokens(key=b"x" * 32, clock=Clock(), randomness=Randomness())
    token, _ = tokens.issue(Caller("app", "key"))
    tokens.caller(token)

    for changed in (token[:-4] + "AAAA", token[:-1], "", token.replace(".", "..", 1)):
        with pytest.raises(TokenError):
            tokens.caller(changed)


def test_a_token_that_was_good_expires() -> None:
    clock = Clock(running=False)
    tokens = DeveloperTokens(key=b"x" * 32, clock=clock, randomness=Randomness())
    token, _ = tokens.issue(Caller("app", "key"), expires_in=5)

    assert tokens.caller(token) == Caller("app", "key")
    clock.advance(6)
    with pytest.raises(TokenError):
        tokens.caller(token)


def test_streams_of_one_seed_do_not_shift_each_other() -> None:
    one, other = Randomness(1), Randomness(1)
    one.stream("ids").uuid()

    assert one.uuid() == other.uuid()
    assert Randomness(1).stream("a").uuid() != Randomness(1).stream("b").uuid()
