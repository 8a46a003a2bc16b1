"""The directory that holds a platform's data: one at a time, and nothing left of a start that failed."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, Final, NoReturn

from memoram_local.errors import DataDirectoryError, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE_NAME: Final = "memoram.sqlite3"
_LOCK_NAME: Final = "memoram.lock"


class DataDirectory:
    """A directory that this process has for itself until it closes it.

    Args:
        directory: Made, private to its user, when missing.

    Attributes:
        file: The store's file.
        is_new: Whether the file was not there before.

    Raises:
        DataDirectoryError: It cannot be used, or another platform uses it.
    """

    def __init__(self, directory: Path) -> None:
        self._shown = directory
        self._directory = directory.absolute()
        self.file = self._directory / FILE_NAME
        self._made = list(_missing(self._directory))
        self.is_new = not self.file.exists()
        self._lock: int | None = None
        self._is_locked = False
        if self._directory.exists() and not self._directory.is_dir():
            self._refuse("it is a file")
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(self._directory / _LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o600)
            self._take_lock(self._lock)
            # SQLite gives its side files the same permissions.
            file = os.open(self.file, os.O_RDWR | os.O_CREAT, 0o600)
            self._identity = _identity(os.fstat(file))
            os.close(file)
        except OSError as error:
            self.discard()
            self._refuse(str(error.strerror))
        except DataDirectoryError:
            self.close()
            raise

    def check(self) -> None:
        """Go on only if the file is still where it was.

        An open one that was deleted or moved takes what is written all the same, and nobody finds it again.

        Raises:
            StorageError: It is not.
        """
        try:
            found = _identity(self.file.stat())
        except OSError:
            found = None
        if found != self._identity:
            raise StorageError(
                f"the data directory {self._shown} was moved or deleted: nothing of this was stored; stop "
                "this platform, and start it where the data is"
            )

    def close(self) -> None:
        """Let others have it. A second call does nothing."""
        if self._lock is not None:
            # Closing the file lets go of the lock.
            os.close(self._lock)
            self._lock = None

    def discard(self) -> None:
        """Close it, and delete what was not there before: nothing was kept in it yet."""
        if self.is_new and self._is_locked:
            for name in (FILE_NAME, f"{FILE_NAME}-wal", f"{FILE_NAME}-shm", _LOCK_NAME):
                with contextlib.suppress(OSError):
                    (self._directory / name).unlink(missing_ok=True)
        if self.is_new:
            for folder in self._made:
                with contextlib.suppress(OSError):
                    folder.rmdir()
        self.close()

    def _take_lock(self, lock: int) -> None:
        if not _locked(lock):
            owner = os.pread(lock, 20, 0).decode("ascii", "replace").strip() if hasattr(os, "pread") else ""
            raise DataDirectoryError(
                f"the data directory {self._shown} is in use by another platform"
                f"{f' (process {owner})' if owner else ''}: stop that one, or choose another directory"
            )
        self._is_locked = True
        os.ftruncate(lock, 0)
        os.write(lock, f"{os.getpid()}\n".encode())

    def _refuse(self, reason: str) -> NoReturn:
        raise DataDirectoryError(f"the data directory {self._shown} cannot be used: {reason}")


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _missing(directory: Path) -> Iterator[Path]:
    for folder in (directory, *directory.parents):
        if folder.exists():
            return
        yield folder


if sys.platform == "win32":
    import msvcrt

    # Beyond what is written, so that others can read whose lock it is.
    _LOCKED_OCTET: Final = 1_000

    def _locked(descriptor: int) -> bool:
        os.lseek(descriptor, _LOCKED_OCTET, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)
        return True

else:
    import fcntl

    def _locked(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
