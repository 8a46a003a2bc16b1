"""What tells an argument that was not given from None."""

from enum import Enum


class Unset(Enum):
    """The type of `UNSET`."""

    UNSET = "UNSET"

    def __repr__(self) -> str:
        return "UNSET"


UNSET = Unset.UNSET
"""An argument that was not given, where None means "clear it"."""
