"""Values that the platform makes once and keeps with its data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from memoram_local.store.schema import settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection


def kept(connection: Connection, name: str, make: Callable[[], str]) -> str:
    """The value kept under a name; made and kept the first time it is asked for."""
    value = connection.scalar(select(settings.c.value).where(settings.c.name == name))
    if value is None:
        value = make()
        connection.execute(settings.insert(), {"name": name, "value": value})
    return value
