"""A user as `MemoramLocal` hands it out."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class User:
    """A person whose memories are kept.

    Attributes:
        id: A UUID: the API's `user_id`.
        email: As it is stored, folded to lower case.
        memory_key: What applications ask for access with.
        encryption_key: 64 hexadecimal digits, to check in tests what applications were given.
    """

    id: str
    email: str
    memory_key: str
    encryption_key: str = field(repr=False)
