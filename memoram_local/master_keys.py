"""Where master keys are kept: apart from the data, so that a copy of the data alone opens nothing."""

from __future__ import annotations

import contextlib
import os
import shlex
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from memoram_local.errors import MasterKeyError
from memoram_local.sealing import MasterKey

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

VARIABLE: Final = "MEMORAM_LOCAL_MASTER_KEY"
"""The environment variable that holds the master key, where one does."""

_COMMAND_SECONDS: Final = 60
_PRIVATE: Final = 0o600
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class MasterKeySource(Protocol):
    """Where master keys come from. Of several, the first one seals; the others still unseal."""

    @property
    def makes_keys(self) -> bool:
        """Whether `make` keeps keys here."""
        ...

    def find(self, key_id: str) -> MasterKey | None:
        """The key of this id; None when it is not here.

        Raises:
            MasterKeyError: What is kept here cannot be read or is no key.
        """
        ...

    def newest(self) -> MasterKey | None:
        """The key that seals; None when there is none yet, and `make` makes one."""
        ...

    def make(self) -> MasterKey:
        """Make a key and keep it here, durably, before anything is sealed with it.

        Raises:
            MasterKeyError: It cannot be kept.
        """
        ...

    def discard(self, key: MasterKey) -> None:
        """Forget a key that was made in vain: nothing is sealed with it."""
        ...

    def describe(self, key_id: str) -> str:
        """Where a key is looked for, for people."""
        ...


class MasterKeyFolder:
    """A folder that is private to its user, with one file for each key, named by the key's id.

    Args:
        path: The folder, made when a key is.
    """

    makes_keys = True

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path).absolute()
        self._made: list[Path] = []

    def find(self, key_id: str) -> MasterKey | None:
        """The key in the file of this id."""
        path = self._file_of(key_id)
        return next(iter(_keys_in(path)), None) if path.is_file() else None

    def newest(self) -> MasterKey | None:
        """None: each data directory has a key of its own here."""
        return None

    def make(self) -> MasterKey:
        """A key in a file of its own."""
        key = MasterKey.fresh()
        self._made = _write_new(self._file_of(key.id), key.text)
        return key

    def discard(self, key: MasterKey) -> None:
        """Delete the file of a key, and the folders that were made for it."""
        _delete(self._file_of(key.id), self._made)

    def describe(self, key_id: str) -> str:
        """The file's path."""
        return str(self._file_of(key_id))

    def _file_of(self, key_id: str) -> Path:
        return self._path / f"{key_id}.key"


class MasterKeyFile:
    """A file that only its owner can read, with one key a line, the newest first.

    Args:
        path: Made, with a fresh key, when it is missing and new data needs one.
    """

    makes_keys = True

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path).absolute()
        self._made: list[Path] = []

    def find(self, key_id: str) -> MasterKey | None:
        """The key of this id, wherever it stands in the file."""
        return _with_id(self._keys(), key_id)

    def newest(self) -> MasterKey | None:
        """The key of the first line."""
        return next(iter(self._keys()), None)

    def make(self) -> MasterKey:
        """Put a fresh key before those that the file holds."""
        key = MasterKey.fresh()
        older = self._keys()
        if not older:
            self._made = _write_new(self._path, key.text)
        else:
            self._replace([key, *older])
        return key

    def discard(self, key: MasterKey) -> None:
        """Take a key out of the file; a file without keys is deleted."""
        left = [other for other in self._keys() if other != key]
        if left:
            self._replace(left)
        else:
            _delete(self._path, self._made)

    def describe(self, key_id: str) -> str:
        """The file's path, and what it holds instead."""
        del key_id
        return f"{self._path} ({_held(self._keys()) if self._path.is_file() else 'not there'})"

    def _keys(self) -> list[MasterKey]:
        return _keys_in(self._path) if self._path.exists() else []

    def _replace(self, keys: Sequence[MasterKey]) -> None:
        fresh = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        _write_new(fresh, "\n".join(key.text for key in keys))
        try:
            fresh.replace(self._path)
        except OSError as error:
            fresh.unlink(missing_ok=True)
            raise MasterKeyError(f"{self._path} cannot be written: {error.strerror}") from error


class _Given:
    """Keys that somebody else keeps."""

    makes_keys = False
    _where: str

    def find(self, key_id: str) -> MasterKey | None:
        """The key of this id, if it is among them."""
        return _with_id(self._keys(), key_id)

    def newest(self) -> MasterKey | None:
        """The first of them."""
        return self._keys()[0]

    def make(self) -> MasterKey:
        """Nothing can be kept there."""
        raise MasterKeyError(f"{self._where} keeps no keys that this program makes: give it a key itself")

    def discard(self, key: MasterKey) -> None:
        """Nothing was kept there."""

    def describe(self, key_id: str) -> str:
        """What they are, and what they hold instead."""
        del key_id
        return f"{self._where} ({_held(self._keys())})"

    def _keys(self) -> list[MasterKey]:
        raise MasterKeyError(f"{self._where} holds no key")  # overridden


class MasterKeyVariable(_Given):
    """An environment variable that holds the key; or several, separated by spaces, the newest first.

    Args:
        name: Of the variable.
    """

    def __init__(self, name: str = VARIABLE) -> None:
        self._name = name
        self._where = f"the environment variable {name}"

    def _keys(self) -> list[MasterKey]:
        return _parsed(os.environ.get(self._name, ""), where=self._where)


class MasterKeyCommand(_Given):
    """A command that prints the key, such as a password manager's; or several, one a line, the newest first.

    Args:
        command: A command line, split as a shell would, and run without one; or its words.
    """

    def __init__(self, command: str | Sequence[str]) -> None:
        try:
            self._words = shlex.split(command) if isinstance(command, str) else list(command)
        except ValueError as error:
            raise MasterKeyError(f"the command for the master key cannot be read: {error}") from error
        if not self._words:
            raise MasterKeyError("the command for the master key is empty")
        self._where = f"the command {self._words[0]!r}"

    def _keys(self) -> list[MasterKey]:
        problem, printed = "", b""
        try:
            # What it asks people for, it asks on the terminal: only its output is ours.
            done = subprocess.run(  # noqa: S603 - the user's own command
                self._words, stdout=subprocess.PIPE, timeout=_COMMAND_SECONDS, check=False
            )
            printed = done.stdout
            if done.returncode != 0:
                problem = f"ended with status {done.returncode}"
        except subprocess.TimeoutExpired:
            problem = f"did not end within {_COMMAND_SECONDS} seconds"
        except OSError as error:
            problem = f"cannot be run: {error.strerror}"
        # Outside of the except block: the errors hold what it printed.
        if problem:
            raise MasterKeyError(f"{self._where} for the master key {problem}")
        return _parsed(printed.decode("ascii", "replace"), where=self._where)


def default_source() -> MasterKeySource:
    """The environment variable, if it is set; else a folder among the user's own settings."""
    return MasterKeyVariable() if VARIABLE in os.environ else default_folder()


def default_folder() -> MasterKeyFolder:
    """Where keys are kept unless somebody says otherwise.

    Raises:
        MasterKeyError: The user has no home directory.
    """
    if sys.platform == "win32":
        settings = os.environ.get("APPDATA")
    else:
        settings = os.environ.get("XDG_CONFIG_HOME") or str(Path("~/.config"))
    try:
        folder = Path(settings or "~").expanduser()
    except RuntimeError as error:
        raise MasterKeyError(
            f"there is no home directory for the master key: set {VARIABLE}, or name a file or a command"
        ) from error
    return MasterKeyFolder(folder / "memoram-local" / "master-keys")


def _parsed(text: str, *, where: str) -> list[MasterKey]:
    keys = [MasterKey.parsed(word) for word in text.split()]
    found = [key for key in keys if key is not None]
    if not found or len(found) != len(keys):
        raise MasterKeyError(f"{where} does not hold a master key: 64 hexadecimal digits are needed")
    return found


def _keys_in(path: Path) -> list[MasterKey]:
    try:
        # Before it is read: a key that others could read is one that they may have read.
        if os.name == "posix" and path.stat().st_mode & _OTHERS:
            raise MasterKeyError(f"{path} can be read by other users: chmod 600 {shlex.quote(str(path))}")
        text = path.read_text(encoding="ascii")
    except OSError as error:
        raise MasterKeyError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        text = ""
    return _parsed(text, where=str(path))


def _with_id(keys: Sequence[MasterKey], key_id: str) -> MasterKey | None:
    return next((key for key in keys if key.id == key_id), None)


def _held(keys: Sequence[MasterKey]) -> str:
    return f"holds {', '.join(key.id for key in keys)}"


def _write_new(path: Path, text: str) -> list[Path]:
    """Write a file that was not there, durably; gives the folders that were made for it, innermost first."""
    made = list(_missing_folders(path.parent))
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(text + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            path.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)
    except OSError as error:
        _delete_folders(made)
        raise MasterKeyError(
            f"the master key cannot be kept in {path}: {error.strerror}; set {VARIABLE}, or name another "
            "file or a command"
        ) from error
    return made


def _delete(path: Path, folders: Sequence[Path]) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
        _delete_folders(folders)


def _delete_folders(folders: Sequence[Path]) -> None:
    # One that others use by now is not empty, and stays.
    with contextlib.suppress(OSError):
        for folder in folders:
            folder.rmdir()


def _missing_folders(folder: Path) -> Iterator[Path]:
    for each in (folder, *folder.parents):
        if each.exists():
            return
        yield each


def _sync_folder(folder: Path) -> None:
    # Without it the file's name can be lost in a power cut that the data survives.
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
