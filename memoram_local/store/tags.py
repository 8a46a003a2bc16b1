"""The names that a user's memories are filed under."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, or_, select

from memoram_local.behaviour import behaviour
from memoram_local.store.prepared import Prepared
from memoram_local.store.schema import blob_tags, tags

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from sqlalchemy import Connection, Row

    from memoram_local.clock import Clock
    from memoram_local.randomness import Randomness

# Built once: they run with every blob, and building costs more than running.
# One statement for each number of names up to this: most memories bear fewer.
_MOST_NAMES = 8
_IDS = tuple(
    Prepared(
        select(tags.c.name, tags.c.id).where(
            tags.c.account_id == bindparam("account"),
            or_(*[tags.c.name == bindparam(f"named_{number}") for number in range(names)]),
        )
    )
    for names in range(1, _MOST_NAMES + 1)
)
# So many blobs at once: a page has no more, and most have no fewer.
_MOST_BLOBS = 100
_BLOB_NAMES = [f"blob_{number}" for number in range(_MOST_BLOBS)]
_NO_BLOBS = dict.fromkeys(_BLOB_NAMES, "")
_OF_BLOBS = Prepared(
    select(blob_tags.c.blob_id, tags.c.name, tags.c.id)
    .join(tags, tags.c.id == blob_tags.c.tag_id)
    .where(blob_tags.c.blob_id.in_([bindparam(name) for name in _BLOB_NAMES]))
    .order_by(blob_tags.c.position)
)
_OF_BLOB = Prepared(
    select(tags.c.name, tags.c.id)
    .join(blob_tags, tags.c.id == blob_tags.c.tag_id)
    .where(blob_tags.c.blob_id == bindparam("blob"))
    .order_by(blob_tags.c.position)
)
# Beyond this it does not matter which tag is rarer, and counting further would cost what it saves.
_ENOUGH = 2_000
_COUNT = Prepared(
    select(func.count()).select_from(
        select(blob_tags.c.blob_id).where(blob_tags.c.tag_id == bindparam("tag")).limit(_ENOUGH).subquery()
    )
)
_ATTACH = Prepared(blob_tags.insert())


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag of one user.

    Attributes:
        id: `tag_` and 24 hexadecimal digits.
        name: Unique for its user, as it was first sent.
        description: For people.
        color: Like `#3366FF`.
        is_enabled: Whether it is in use.
        created_at: Microseconds since 1970.
        updated_at: Microseconds since 1970.
    """

    id: str
    name: str
    description: str | None
    color: str | None
    is_enabled: bool
    created_at: int
    updated_at: int


class Tags:
    """Units of work on tags."""

    def __init__(self, *, clock: Clock, randomness: Randomness) -> None:
        self._clock = clock
        self._randomness = randomness

    @behaviour("tags.creation", "documented", "A tag comes into being when a blob first names it.")
    @behaviour("tags.names", "invented", "Names are kept exactly as sent; case and spaces distinguish them.")
    def attach(
        self,
        connection: Connection,
        *,
        account_id: str,
        blob_id: str,
        blob_created_at: int,
        names: Sequence[str],
    ) -> tuple[tuple[str, str], ...]:
        """Put tags on a blob that has none.

        Args:
            connection: In a unit of work that writes.
            account_id: Whose blob it is.
            blob_id: The blob.
            blob_created_at: When it was created.
            names: The tags' names, without duplicates, in the order to keep.

        Returns:
            Name and id of each, in the same order.
        """
        if not names:
            return ()
        ids = self._ids(connection, account_id, names)
        missing = [name for name in names if name not in ids]
        if missing:
            now = self._clock.micros()
            ids |= {name: self._randomness.prefixed("tag_") for name in missing}
            connection.execute(
                tags.insert(),
                [
                    {
                        "id": ids[name],
                        "account_id": account_id,
                        "name": name,
                        "is_enabled": True,
                        "created_at": now,
                        "updated_at": now,
                    }
                    for name in missing
                ],
            )
        _ATTACH.run_each(
            connection,
            [
                {
                    "blob_id": blob_id,
                    "tag_id": ids[name],
                    "position": position,
                    "blob_created_at": blob_created_at,
                }
                for position, name in enumerate(names)
            ],
        )
        return tuple((name, ids[name]) for name in names)

    def detach(self, connection: Connection, blob_id: str) -> None:
        """Take all tags off a blob. The tags themselves stay."""
        connection.execute(blob_tags.delete().where(blob_tags.c.blob_id == blob_id))

    def of_blob(self, connection: Connection, blob_id: str) -> tuple[tuple[str, str], ...]:
        """Name and id of the tags of one blob."""
        return tuple([(name, tag_id) for name, tag_id in _OF_BLOB.rows(connection, blob=blob_id)])

    def of_blobs(
        self, connection: Connection, blob_ids: Sequence[str]
    ) -> dict[str, tuple[tuple[str, str], ...]]:
        """Name and id of the tags of each of these blobs that has any."""
        found: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
        for start in range(0, len(blob_ids), _MOST_BLOBS):
            named = dict(zip(_BLOB_NAMES, blob_ids[start : start + _MOST_BLOBS], strict=False))
            for blob_id, name, tag_id in _OF_BLOBS.rows(connection, **(_NO_BLOBS | named)):
                found[blob_id].append((name, tag_id))
        return {blob_id: tuple(pairs) for blob_id, pairs in found.items()}

    def ids(self, connection: Connection, *, account_id: str, names: Iterable[str]) -> list[str] | None:
        """The ids of a user's tags by name, the rarest first; None when one of the names is not in use."""
        wanted = list(dict.fromkeys(names))
        found = list(self._ids(connection, account_id, wanted).values())
        if len(found) != len(wanted):
            return None
        if len(found) == 1:
            return found
        return sorted(found, key=lambda tag_id: self._count(connection, tag_id))

    def is_rare(self, connection: Connection, tag_id: str) -> bool:
        """Whether so few blobs bear a tag that going through all of them takes no time."""
        return self._count(connection, tag_id) < _ENOUGH

    @behaviour("list-tags.order", "invented", "Tags come in the order of their names.")
    def page(
        self, connection: Connection, account_id: str, *, limit: int, after: str | None = None
    ) -> tuple[list[Tag], bool]:
        """A page of a user's tags, and whether more follow.

        Args:
            connection: In a unit of work.
            account_id: Whose tags.
            limit: The most tags to return.
            after: The name of the tag before the page; None for the first page.
        """
        query = select(tags).where(tags.c.account_id == account_id)
        if after is not None:
            query = query.where(tags.c.name > after)
        found = [_tag(row) for row in connection.execute(query.order_by(tags.c.name).limit(limit + 1))]
        return found[:limit], len(found) > limit

    def get(self, connection: Connection, *, account_id: str, tag_id: str) -> Tag | None:
        """One tag of a user."""
        row = connection.execute(
            select(tags).where(tags.c.id == tag_id, tags.c.account_id == account_id)
        ).one_or_none()
        return None if row is None else _tag(row)

    def _count(self, connection: Connection, tag_id: str) -> int:
        count: int = _COUNT.rows(connection, tag=tag_id)[0][0]
        return count

    def _ids(self, connection: Connection, account_id: str, names: Sequence[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for start in range(0, len(names), _MOST_NAMES):
            some = names[start : start + _MOST_NAMES]
            named = {f"named_{number}": name for number, name in enumerate(some)}
            found.update(_IDS[len(some) - 1].rows(connection, account=account_id, **named))
        return found


def _tag(row: Row[Any]) -> Tag:
    return Tag(
        id=row.id,
        name=row.name,
        description=row.description,
        color=row.color,
        is_enabled=row.is_enabled,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
