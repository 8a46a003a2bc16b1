"""All that is kept sealed, in one place: to seal what older versions kept in clear, and to change the key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from memoram_local.errors import DataDirectoryError
from memoram_local.sealing import SealError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from memoram_local.sealing import MasterKey, Seal

SIGNING_KEY: Final = "jwt_key"

_KEYS: Final = (
    ("accounts", "id", "key_version"),
    ("retired_keys", "account_id", "key_version"),
)


def purpose_of_key(account_id: str, version: int) -> str:
    """What a user's encryption key is sealed for."""
    return f"encryption key:{account_id}:{version}"


def purpose_of_setting(name: str) -> str:
    """What a setting is sealed for."""
    return f"setting:{name}"


def seal_all(connection: sqlite3.Connection, seal: Seal) -> None:
    """Seal what was kept in clear until now. In a transaction."""
    _replace(connection, lambda stored, purpose: seal.sealed(stored, purpose=purpose))
    note_key(connection, seal.key)


def reseal_all(connection: sqlite3.Connection, *, old: Seal, new: Seal) -> None:
    """Seal under another key what is sealed under this one. In a transaction.

    Raises:
        DataDirectoryError: Something is not sealed under the old key: it was damaged or exchanged.
    """

    def exchange(stored: str, purpose: str) -> str:
        return new.sealed(old.unsealed(stored, purpose=purpose), purpose=purpose)

    try:
        _replace(connection, exchange)
    except SealError as error:
        raise DataDirectoryError(f"the data is damaged: {error}") from error


def note_key(connection: sqlite3.Connection, key: MasterKey) -> None:
    """Write down which key the data needs."""
    connection.execute("DELETE FROM master_keys")
    connection.execute("INSERT INTO master_keys (id) VALUES (?)", (key.id,))


def noted_key(connection: sqlite3.Connection) -> str | None:
    """The id of the key that the data is sealed under; None where nothing is sealed yet."""
    row = connection.execute("SELECT id FROM master_keys").fetchone()
    return None if row is None else str(row[0])


def _replace(connection: sqlite3.Connection, exchange: Callable[[str, str], str]) -> None:
    for table, owner, version in _KEYS:
        # Names from above, no one else's.
        read = f"SELECT {owner}, {version}, encryption_key FROM {table}"  # noqa: S608
        write = f"UPDATE {table} SET encryption_key = ? WHERE {owner} = ? AND {version} = ?"  # noqa: S608
        for account_id, number, stored in connection.execute(read).fetchall():
            exchanged = exchange(stored, purpose_of_key(account_id, number))
            connection.execute(write, (exchanged, account_id, number))
    row = connection.execute("SELECT value FROM settings WHERE name = ?", (SIGNING_KEY,)).fetchone()
    if row is not None:
        exchanged = exchange(row[0], purpose_of_setting(SIGNING_KEY))
        connection.execute("UPDATE settings SET value = ? WHERE name = ?", (exchanged, SIGNING_KEY))
