"""What can go wrong for those who run a platform from Python or from the command line."""

from __future__ import annotations


class LocalPlatformError(Exception):
    """The root of this package's errors. Its text is one line, fit for a terminal."""


class DataDirectoryError(LocalPlatformError):
    """The data directory cannot be used: not writable, damaged, or made by another version."""


class MasterKeyError(LocalPlatformError):
    """The master key that the data is sealed under is missing, or cannot be read or kept."""


class StorageError(LocalPlatformError):
    """The disk does not take or give what is stored, as when the data directory has vanished."""


class StorageFullError(StorageError):
    """The disk is full. What was being stored is not; what was stored before can be read."""


class AddressError(LocalPlatformError):
    """The address cannot be listened on: taken, not allowed, or not on this machine."""


class NotFoundError(LocalPlatformError):
    """No such application, user or access request."""


class DecisionError(LocalPlatformError):
    """The access request is not in a state that allows the decision."""


class TooManyAttemptsError(LocalPlatformError):
    """Too many wrong passwords came before: none is checked for a while.

    Attributes:
        retry_after: Seconds until one is checked again.
    """

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"Too many wrong passwords: try again in {retry_after} seconds.")
        self.retry_after = retry_after


class RegistrationError(LocalPlatformError):
    """An application or a user cannot be registered with these values."""
