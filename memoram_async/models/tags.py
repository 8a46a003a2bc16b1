"""Tags."""

from __future__ import annotations

from datetime import datetime

import attrs

from memoram_async.models.answered import Answered


@attrs.frozen(kw_only=True)
class Tag(Answered):
    """One of a user's tags (contract `Tag`).

    Attributes:
        id: The tag.
        name: What memories are tagged with.
        description: What the user wrote about it.
        color: For display, such as `#3366FF`.
        is_enabled: Whether the user has it switched on.
        created_at: When it was first used.
        updated_at: When it last changed.
    """

    id: str
    name: str | None = None
    description: str | None = attrs.field(default=None, repr=False)
    color: str | None = None
    is_enabled: bool | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
