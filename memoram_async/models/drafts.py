"""Memories under construction.

The models are frozen, and writing the members of a frozen object one by one costs more than all the rest of
reading it. A draft has the same layout and can be written to; giving it the class of its model, in one
assignment, freezes it.
"""

from __future__ import annotations

from typing import Any, Final

from memoram_async.models.memory import Memory, MemoryBlob

WIRE_MEMBERS: Final = (
    "id",
    "content",
    "user_id",
    "title",
    "summary",
    "tags",
    "tag_ids",
    "importance",
    "confidence",
    "source",
    "created_at",
    "updated_at",
)
"""The members of a blob in the contract, which are the attributes of a draft."""


class BlobDraft(MemoryBlob):
    """A `MemoryBlob` that can be written to until its page is read."""

    __slots__ = ()
    # Both: with one of them alone, Python would look the other up at every assignment.
    __setattr__ = object.__setattr__
    __delattr__ = object.__delattr__


class MemoryDraft(Memory):
    """A `Memory` that can be written to until it is opened; before that, its `content` is what is stored."""

    __slots__ = ()
    __setattr__ = object.__setattr__
    __delattr__ = object.__delattr__
    # The slot behind the property, under the name that it has on the wire.
    content: Any = vars(Memory)["_content"]
