"""Keys in the keyring of the operating system, with a keyring of the test's own in its place."""

from __future__ import annotations

import sys

import pytest
from keyring.backend import KeyringBackend

from memoram_async import ConfigurationError, KeyringKeyStore, Secret
from memoram_async.keys.store import check_key_store


class Entries(KeyringBackend):
    """A keyring in a dictionary."""

    priority = 1  # pyright: ignore[reportAssignmentType]  # a property of the class, which keyring looks up

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # keyring has no types here
        self.held: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.held[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.held[service, username]


def test_each_version_of_each_user_has_an_entry_of_its_own() -> None:
    store = KeyringKeyStore(backend=Entries())
    store.save("user-1", 1, Secret("aa"))
    store.save("user-1", 2, Secret("bb"))
    store.save("user-2", 1, Secret("cc"))
    found = [store.load(*entry) for entry in (("user-1", 1), ("user-1", 2), ("user-2", 1), ("user-2", 2))]
    assert [None if key is None else key.reveal() for key in found] == ["aa", "bb", "cc", None]


def test_entries_are_filed_under_a_name_that_can_be_chosen() -> None:
    entries = Entries()
    KeyringKeyStore("planner", backend=entries).save("user-1", 1, Secret("aa"))
    assert [service for service, _ in entries.held] == ["planner"]
    assert KeyringKeyStore(backend=entries).load("user-1", 1) is None


def test_it_is_a_key_store_and_shows_no_key() -> None:
    store = KeyringKeyStore(backend=Entries())
    store.save("user-1", 1, Secret("aa"))
    assert check_key_store(store) is store
    assert repr(store) == "<KeyringKeyStore of memoram>"


def test_the_systems_own_keyring_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = Entries()
    monkeypatch.setattr("keyring.get_keyring", lambda: entries)
    KeyringKeyStore().save("user-1", 1, Secret("aa"))
    assert len(entries.held) == 1


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'memoram\[keyring\]'"):
        KeyringKeyStore()
