"""Keys sealed at rest: a copy of the data opens nothing, and a missing key is said plainly."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from memoram_local import MasterKeyCommand, MasterKeyError, MasterKeyFile, MasterKeyVariable, MemoramLocal
from memoram_local.cli import main
from memoram_local.master_keys import VARIABLE
from memoram_local.sealing import MasterKey, Seal, SealError

if TYPE_CHECKING:
    from pathlib import Path

    from memoram_local import User
    from memoram_local.master_keys import MasterKeySource

EMAIL, PASSWORD = "ada@example.test", "correct horse"
NEW, OLD = "a1" * 32, "b2" * 32

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="asks for POSIX permissions")


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    return tmp_path / "settings" / "memoram-local" / "master-keys"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def platform(data: Path, master_key: MasterKeySource | None = None) -> MemoramLocal:
    return MemoramLocal(data=data, master_key=master_key, password_profile="fast")


def with_user(data: Path, master_key: MasterKeySource | None = None) -> User:
    with platform(data, master_key) as local:
        return local.create_user(email=EMAIL, password=PASSWORD)


def key_of(data: Path, user: User, master_key: MasterKeySource | None = None) -> str:
    """What an approved application would be given."""
    with platform(data, master_key) as local:
        accounts = local._services.accounts  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001
        found = local._read(  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001
            lambda connection: accounts.encryption_key(connection, user.id)
        )
        assert found is not None
        return found.key


def octets_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def version_2(data: Path) -> tuple[str, str]:
    """A data directory as the version before kept it, with a user; gives the user's id and key."""
    user = with_user(data)
    with closing(sqlite3.connect(data / "memoram.sqlite3", isolation_level=None)) as store:
        store.execute("PRAGMA secure_delete=OFF")
        store.execute("UPDATE accounts SET encryption_key = ?", (user.encryption_key,))
        retired = (user.id, 0, "c3" * 32, 1)
        store.execute("INSERT INTO retired_keys VALUES (?, ?, ?, ?)", retired)
        store.execute("UPDATE settings SET value = ? WHERE name = 'jwt_key'", ("d4" * 32,))
        store.execute("UPDATE settings SET value = '2' WHERE name = 'schema_version'")
        store.execute("DROP TABLE master_keys")
        store.execute("DROP INDEX oauth_tokens_of_account")
        # What a deleted row of that version left behind.
        store.execute("CREATE TABLE once (key TEXT)")
        store.execute("INSERT INTO once VALUES (?)", (user.encryption_key,))
        store.execute("DROP TABLE once")
    return user.id, user.encryption_key


# --- at rest -----------------------------------------------------------------------------------


def test_the_data_directory_holds_no_key_in_clear(data: Path, settings: Path) -> None:
    with platform(data) as local:
        user = local.create_user(email=EMAIL, password=PASSWORD)
        local.rotate_key(user.id)
        assert user.encryption_key.encode() not in octets_in(data)
    assert user.encryption_key.encode() not in octets_in(data)
    assert len(list(settings.glob("*.key"))) == 1


def test_the_key_file_is_private_and_apart(data: Path, settings: Path) -> None:
    with_user(data)

    (path,) = settings.glob("*.key")
    assert path.stat().st_mode & 0o777 == 0o600
    assert not list(data.rglob("*.key"))
    assert path.read_text(encoding="ascii").strip().encode() not in octets_in(data)


def test_what_was_sealed_is_there_again_in_the_next_process(data: Path) -> None:
    user = with_user(data)

    assert key_of(data, user) == user.encryption_key


def test_each_data_directory_has_a_key_of_its_own(tmp_path: Path, settings: Path) -> None:
    for name in ("one", "other"):
        with_user(tmp_path / name)

    assert len(list(settings.glob("*.key"))) == 2


def test_a_data_directory_that_was_moved_finds_its_key(data: Path, tmp_path: Path) -> None:
    user = with_user(data)
    data.rename(tmp_path / "moved")

    assert key_of(tmp_path / "moved", user) == user.encryption_key


def test_what_is_sealed_for_one_user_is_not_taken_for_another(data: Path) -> None:
    seal = Seal(MasterKey.fresh())
    sealed = seal.sealed("secret", purpose="encryption key:ada:1")

    assert seal.unsealed(sealed, purpose="encryption key:ada:1") == "secret"
    for other, purpose in ((seal, "encryption key:bob:1"), (Seal(MasterKey.fresh()), "encryption key:ada:1")):
        with pytest.raises(SealError):
            other.unsealed(sealed, purpose=purpose)
    for changed in ("secret", sealed[:-4], sealed.replace("sealed1.", "")):
        with pytest.raises(SealError):
            seal.unsealed(changed, purpose="encryption key:ada:1")


# --- where it is -------------------------------------------------------------------------------


def test_the_key_may_be_in_a_file_of_ones_choice(data: Path, tmp_path: Path, settings: Path) -> None:
    file = MasterKeyFile(tmp_path / "keys" / "mine")
    user = with_user(data, file)

    assert key_of(data, user, file) == user.encryption_key
    assert (tmp_path / "keys" / "mine").stat().st_mode & 0o777 == 0o600
    assert not settings.exists()


def test_the_key_may_be_in_the_environment(
    data: Path, settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, NEW)
    user = with_user(data)
    monkeypatch.setenv("ANOTHER", NEW)
    monkeypatch.delenv(VARIABLE)

    assert key_of(data, user, MasterKeyVariable("ANOTHER")) == user.encryption_key
    assert not settings.exists()


def test_the_key_may_be_what_a_command_prints(data: Path, settings: Path) -> None:
    command = MasterKeyCommand([sys.executable, "-c", f"print('{NEW}')"])
    user = with_user(data, command)

    assert key_of(data, user, command) == user.encryption_key
    assert not settings.exists()


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ([sys.executable, "-c", f"print('{NEW}'); raise SystemExit(3)"], "ended with status 3"),
        ([sys.executable, "-c", "print('none')"], "does not hold a master key"),
        (["/no/such/program"], "cannot be run: No such file or directory"),
        ("", "is empty"),
        ("unclosed '", "cannot be read"),
    ],
)
def test_a_command_that_gives_no_key_is_said_without_what_it_printed(
    data: Path, command: list[str] | str, said: str
) -> None:
    with pytest.raises(MasterKeyError, match=said) as raised:
        with_user(data, MasterKeyCommand(command))

    assert NEW not in str(raised.value)
    assert raised.value.__context__ is None or NEW not in repr(raised.value.__context__)
    assert not data.exists()


@pytest.mark.parametrize("value", ["", "xyz", NEW[:-1], f"{NEW} {OLD[:-2]}"])
def test_a_variable_that_holds_no_key_is_said_without_its_value(
    data: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv(VARIABLE, value)

    with pytest.raises(MasterKeyError, match="64 hexadecimal digits are needed") as raised:
        with_user(data)
    assert NEW[:-1] not in str(raised.value)
    assert not data.exists()


def test_a_missing_key_is_named_with_the_places_where_it_was_looked_for(
    data: Path, settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_user(data)
    (path,) = settings.glob("*.key")
    path.rename(settings / "elsewhere")
    monkeypatch.setenv(VARIABLE, OLD)

    with pytest.raises(MasterKeyError) as raised:
        with_user(data)

    said = str(raised.value)
    for part in (str(data), path.stem, str(path), VARIABLE, MasterKey(bytes.fromhex(OLD)).id):
        assert part in said
    assert OLD not in said
    assert "\n" not in said


def test_a_key_file_that_others_can_read_is_refused(data: Path, settings: Path) -> None:
    with_user(data)
    (path,) = settings.glob("*.key")
    path.chmod(0o640)

    with pytest.raises(MasterKeyError, match="can be read by other users: chmod 600"):
        with_user(data)


def test_a_place_that_cannot_keep_a_key_leaves_nothing_behind(data: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(MasterKeyError, match="cannot be kept in"):
        with_user(data, MasterKeyFile(tmp_path / "file" / "key"))
    assert not data.exists()


# --- carried over, rotated ---------------------------------------------------------------------


def test_a_data_directory_of_the_version_before_is_carried_over(data: Path) -> None:
    account_id, key = version_2(data)
    assert key.encode() in octets_in(data)

    with platform(data) as local:
        assert [request.id for request in local.access_requests()] == []
        assert key.encode() not in octets_in(data)
        accounts = local._services.accounts  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001
        keys = local._read(  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001
            lambda connection: accounts.encryption_keys(connection, account_id)
        )
    assert [found.key for found in keys] == [key, "c3" * 32]
    for secret in (key, "c3" * 32, "d4" * 32):
        assert secret.encode() not in octets_in(data)


def test_carrying_over_without_a_place_for_the_key_changes_nothing(data: Path, tmp_path: Path) -> None:
    _, key = version_2(data)
    (tmp_path / "file").touch()

    with pytest.raises(MasterKeyError):
        with_user(data, MasterKeyFile(tmp_path / "file" / "key"))
    assert key.encode() in octets_in(data)


def test_rotating_seals_under_a_fresh_key_and_keeps_the_old_one_for_backups(
    data: Path, settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    user = with_user(data)
    (old,) = settings.glob("*.key")

    assert main(["rotate-master-key", "--data", str(data)]) == 0

    said = capsys.readouterr().out
    (new,) = set(settings.glob("*.key")) - {old}
    assert old.stem in said
    assert str(new) in said
    old.unlink()
    assert key_of(data, user) == user.encryption_key


def test_rotating_a_file_puts_the_new_key_before_the_old_one(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine"
    user = with_user(data, MasterKeyFile(file))
    old = file.read_text(encoding="ascii")

    assert main(["rotate-master-key", "--data", str(data), "--master-key-file", str(file)]) == 0

    new, kept = file.read_text(encoding="ascii").split()
    assert kept == old.strip() != new
    file.write_text(new, encoding="ascii")
    assert key_of(data, user, MasterKeyFile(file)) == user.encryption_key


def test_rotating_takes_the_first_key_of_those_that_are_given(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(VARIABLE, OLD)
    user = with_user(data)

    assert main(["rotate-master-key", "--data", str(data)]) == 1
    assert "put a new key before it" in capsys.readouterr().err
    monkeypatch.setenv(VARIABLE, f"{NEW} {OLD}")
    assert main(["rotate-master-key", "--data", str(data)]) == 0
    monkeypatch.setenv(VARIABLE, NEW)

    assert key_of(data, user) == user.encryption_key


def test_rotating_moves_from_the_default_file_to_a_key_that_is_given(
    data: Path, settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = with_user(data)
    monkeypatch.setenv(VARIABLE, NEW)

    assert main(["rotate-master-key", "--data", str(data)]) == 0

    for path in settings.glob("*.key"):
        path.unlink()
    assert key_of(data, user) == user.encryption_key


@pytest.mark.parametrize("there", [True, False])
def test_rotating_what_cannot_be_rotated_is_said_in_one_line(
    data: Path, tmp_path: Path, there: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    if there:
        with platform(data):
            assert main(["rotate-master-key", "--data", str(data)]) == 1
    else:
        assert main(["rotate-master-key", "--data", str(data)]) == 1
        assert not data.exists()

    error = capsys.readouterr().err
    assert ("is in use by another platform" if there else "there is no data in") in error
    assert error.count("\n") == 1


def test_a_snapshot_is_restored_under_the_key_of_whoever_restores_it(data: Path, tmp_path: Path) -> None:
    with platform(data) as local:
        user = local.create_user(email=EMAIL, password=PASSWORD)
        taken = local.snapshot()
    with platform(tmp_path / "other") as other:
        other.restore(taken)

    assert user.encryption_key.encode() not in taken.store
    assert key_of(tmp_path / "other", user) == user.encryption_key
