"""Opens the file of a store: finds its master key, and carries over what an older version kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from memoram_local.errors import DataDirectoryError, MasterKeyError
from memoram_local.master_keys import default_folder
from memoram_local.sealing import Seal
from memoram_local.store import schema
from memoram_local.store.resealing import note_key, noted_key, reseal_all, seal_all

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from memoram_local.master_keys import MasterKeySource
    from memoram_local.sealing import MasterKey

_UNSEALED_VERSION: Final = "2"
"""The schema whose keys lay in clear."""

_TO_BE_WRITTEN_ANEW: Final = 1

# Those that are needed before the others can be made, as the schema has them.
_FIRST_TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS settings (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS master_keys (id TEXT NOT NULL PRIMARY KEY)",
)


class Opening:
    """What is done with a store's file before anybody works with it.

    Args:
        directory: As the user names it, for messages.
        source: Where its master key is.
        is_new: Whether the file is deleted again, should the start fail.

    Attributes:
        made: A master key that seals nothing that will stay, should the start fail: to be discarded then.
    """

    def __init__(self, directory: Path, source: MasterKeySource, *, is_new: bool) -> None:
        self._directory = directory
        self._source = source
        self._is_new = is_new
        self.made: MasterKey | None = None

    def seal_of(self, connection: sqlite3.Connection) -> Seal:
        """Carry the file over to this version, if it must be, and find its seal. Outside of a transaction.

        Raises:
            DataDirectoryError: The file was made by a version that this one cannot read.
            MasterKeyError: The master key is missing.
        """
        version = _version(connection)
        if version not in {None, _UNSEALED_VERSION, schema.SCHEMA_VERSION}:
            raise DataDirectoryError(
                f"the data was made by another version of memoram_local (schema {version}, "
                f"this one reads {schema.SCHEMA_VERSION}): choose another data directory"
            )
        if version == schema.SCHEMA_VERSION:
            key_id = noted_key(connection)
            if key_id is None:
                raise DataDirectoryError(f"the data in {self._directory} is damaged: it names no master key")
            seal = Seal(self._found(key_id))
            _write_anew_if_due(connection)
            return seal
        seal = Seal(self._key_for_new_data())
        connection.execute("BEGIN IMMEDIATE")
        for statement in _FIRST_TABLES:
            connection.execute(statement)
        if version is None:
            note_key(connection, seal.key)
        else:
            seal_all(connection, seal)
            connection.execute(f"PRAGMA user_version={_TO_BE_WRITTEN_ANEW}")
        connection.execute(
            "INSERT OR REPLACE INTO settings (name, value) VALUES ('schema_version', ?)",
            (schema.SCHEMA_VERSION,),
        )
        connection.execute("COMMIT")
        if not self._is_new:
            self.made = None
        _write_anew_if_due(connection)
        return seal

    def rotate(self, connection: sqlite3.Connection, seal: Seal) -> Seal:
        """Seal everything under another master key. Outside of a transaction.

        The key is made where keys are made; otherwise it is the first of those that are given, the old one
        following it.

        Raises:
            MasterKeyError: There is no other key to take.
        """
        given = self._source.newest()
        if given is None or (given == seal.key and self._source.makes_keys):
            given = self.made = self._source.make()
        if given == seal.key:
            raise MasterKeyError(
                f"the data is sealed under the first key of {self._source.describe(seal.key.id)} already: "
                "put a new key before it"
            )
        fresh = Seal(given)
        connection.execute("BEGIN IMMEDIATE")
        reseal_all(connection, old=seal, new=fresh)
        note_key(connection, fresh.key)
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        self.made = None
        return fresh

    def _found(self, key_id: str) -> MasterKey:
        folder = default_folder()
        key = self._source.find(key_id) or folder.find(key_id)
        if key is None:
            places = dict.fromkeys((self._source.describe(key_id), folder.describe(key_id)))
            raise MasterKeyError(
                f"the data in {self._directory} is sealed under the master key {key_id}, which is missing; "
                f"looked in {' and '.join(places)}: put the key back, or say where it is"
            )
        return key

    def _key_for_new_data(self) -> MasterKey:
        key = self._source.newest()
        if key is None:
            key = self.made = self._source.make()
        return key


def _write_anew_if_due(connection: sqlite3.Connection) -> None:
    """Leave behind the pages that were let go of before, which may still hold a key in clear."""
    if connection.execute("PRAGMA user_version").fetchone()[0] == _TO_BE_WRITTEN_ANEW:
        connection.execute("VACUUM")
        # Only now: had it failed, as on a full disk, the next start would do it.
        connection.execute("PRAGMA user_version=0")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _version(connection: sqlite3.Connection) -> str | None:
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'settings'").fetchall():
        return None
    row = connection.execute("SELECT value FROM settings WHERE name = 'schema_version'").fetchone()
    return None if row is None else str(row[0])
