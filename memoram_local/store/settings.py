"""Values that the platform makes once and keeps with its data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select

from memoram_local.store.prepared import Prepared
from memoram_local.store.resealing import purpose_of_setting
from memoram_local.store.schema import settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from memoram_local.sealing import Seal

# Built once: every platform of every test asks, and building costs more than running.
_FIND = Prepared(select(settings.c.value).where(settings.c.name == bindparam("called")))
_KEEP = Prepared(settings.insert())


def kept(connection: Connection, name: str, make: Callable[[], str]) -> str:
    """The value kept under a name; made and kept the first time it is asked for."""
    for (stored,) in _FIND.rows(connection, called=name):
        return str(stored)
    value = make()
    _KEEP.run(connection, name=name, value=value)
    return value


def kept_sealed(connection: Connection, name: str, make: Callable[[], str], *, seal: Seal) -> str:
    """`kept` for what opens something: it is sealed."""
    purpose = purpose_of_setting(name)
    return seal.unsealed(
        kept(connection, name, lambda: seal.sealed(make(), purpose=purpose)), purpose=purpose
    )
