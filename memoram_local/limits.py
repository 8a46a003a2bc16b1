"""How much a platform takes, and how often: all of it in one place, so that it can be read and changed."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a platform takes before it refuses.

    Attributes:
        tags_of_memory: The most tags that a memory bears.
        tags_in_filter: The most tags that a list is filtered by.
        tag_characters: The longest name of a tag.
        title_characters: The longest title of a memory.
        summary_characters: The longest summary.
        source_characters: The longest source.
        search_characters: The longest text to search for.
        requests_listed: So many access requests come in one answer, at most.
        tags_listed: So many tags come in one answer, at most.
        rows_looked_at: So many memories a list looks at, at most, before it answers with what it found and a
            cursor.
        pending_requests: So many access requests of one application to one user wait at a time.
        pause_after_rejection: Seconds before an application may ask a user again who said no; 0 for none.
        rejections_in_a_row: After so many, the pause is the block.
        block_after_rejections: Seconds that the block lasts.
        sign_in_attempts: So many wrong passwords for one account, within the window.
        sign_in_attempts_of_address: So many wrong passwords from one address, within the window.
        sign_in_window: Seconds.
        passwords_at_once: So many passwords are hashed at a time: each takes 32 MiB.
        header_octets: The most octets of a request's line and header fields.
        header_fields: The most header fields of a request.
        head_seconds: Within so many seconds the head of a request must have come.
        body_seconds: So many seconds may pass without any more of a body coming.
        connections: So many connections are kept at a time; of those that are idle, the oldest is closed for
            one more.

    Raises:
        ValueError: One of them is not a positive number (the pause may be 0).
    """

    tags_of_memory: int = 100
    tags_in_filter: int = 100
    tag_characters: int = 200
    title_characters: int = 2_000
    summary_characters: int = 20_000
    source_characters: int = 2_000
    search_characters: int = 1_000
    requests_listed: int = 500
    tags_listed: int = 500
    rows_looked_at: int = 20_000
    pending_requests: int = 20
    pause_after_rejection: float = 60
    rejections_in_a_row: int = 5
    block_after_rejections: float = 24 * 3600
    sign_in_attempts: int = 10
    sign_in_attempts_of_address: int = 100
    sign_in_window: float = 300
    passwords_at_once: int = 2
    header_octets: int = 64 * 1024
    header_fields: int = 100
    head_seconds: float = 10
    body_seconds: float = 30
    connections: int = 1_000

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            may_be_zero = each.name == "pause_after_rejection"
            if not (math.isfinite(value) and (value > 0 or (may_be_zero and value == 0))):
                raise ValueError(f"the limit {each.name} must be a positive number")
            if isinstance(each.default, int) and each.type == "int" and not isinstance(value, int):
                raise ValueError(f"the limit {each.name} must be an integer")
