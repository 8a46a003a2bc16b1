"""Registered applications. The service calls them AI connectors."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import select

from memoram_local.behaviour import behaviour
from memoram_local.errors import NotFoundError, RegistrationError
from memoram_local.hashing import digest, same
from memoram_local.redirect_uris import checked
from memoram_local.shown_text import hidden_character, look
from memoram_local.store.erasing import note_erased
from memoram_local.store.schema import access_requests, apps, request_log

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from sqlalchemy import ColumnElement, Connection, Row

    from memoram_local.clock import Clock
    from memoram_local.randomness import Randomness
    from memoram_local.store.api_keys import ApiKeys
    from memoram_local.store.changes import Changes

_NAME_LENGTH = 100


@dataclass(frozen=True, slots=True)
class App:
    """A registered application, without its secrets.

    Attributes:
        id: What access requests name as `aiConnectorId`.
        owner_id: The account that registered it; None when it was registered from Python.
        name: What users are shown.
        client_id: Names it in OAuth.
        redirect_uris: Where users may be sent back to, compared character by character.
        created_at: Microseconds since 1970.
    """

    id: str
    owner_id: str | None
    name: str
    client_id: str
    redirect_uris: tuple[str, ...]
    created_at: int


@dataclass(frozen=True, slots=True)
class RegisteredApp:
    """A fresh application with its secrets, which cannot be seen again: only digests of them are kept.

    Attributes:
        id: What access requests name as `aiConnectorId`.
        name: What users are shown.
        api_key: The developer API key, `mem_` and 48 hexadecimal digits.
        client_id: Names the application in OAuth.
        client_secret: Proves the application in OAuth.
        redirect_uris: Where users may be sent back to.
    """

    id: str
    name: str
    api_key: str = field(repr=False)
    client_id: str
    client_secret: str = field(repr=False)
    redirect_uris: tuple[str, ...]


class Apps:
    """Units of work on applications."""

    def __init__(self, *, clock: Clock, randomness: Randomness, keys: ApiKeys, changes: Changes) -> None:
        self._clock = clock
        self._randomness = randomness
        self._keys = keys
        self._changes = changes

    @behaviour(
        "apps.name",
        "invented",
        "A name has 1 to 100 characters, all of which can be seen: no control characters, none that change "
        "the writing direction, none without a width.",
    )
    @behaviour("apps.client", "invented", "A client id is `client_` and a client secret `secret_` and hex.")
    def register(
        self, connection: Connection, *, name: str, redirect_uris: Sequence[str], owner_id: str | None
    ) -> RegisteredApp:
        """Register an application.

        Raises:
            RegistrationError: The name or a redirect URI cannot be used.
        """
        shown = _checked_name(name)
        app_id = self._randomness.cuid()
        client_id = f"client_{self._randomness.hexadecimal(12)}"
        client_secret = self._client_secret()
        uris = tuple(dict.fromkeys(checked(uri) for uri in redirect_uris))
        connection.execute(
            apps.insert(),
            {
                "id": app_id,
                "owner_id": owner_id,
                "name": shown,
                "client_id": client_id,
                "client_secret_digest": digest(client_secret),
                "redirect_uris": "\n".join(uris),
                "created_at": self._clock.stamp(),
            },
        )
        return RegisteredApp(
            id=app_id,
            name=shown,
            api_key=self._keys.issue(connection, app_id=app_id),
            client_id=client_id,
            client_secret=client_secret,
            redirect_uris=uris,
        )

    def set_redirect_uris(self, connection: Connection, *, app_id: str, redirect_uris: Sequence[str]) -> None:
        """Replace the addresses that users may be sent back to.

        Raises:
            RegistrationError: One of them cannot be used.
        """
        uris = dict.fromkeys(checked(uri) for uri in redirect_uris)
        connection.execute(apps.update().where(apps.c.id == app_id).values(redirect_uris="\n".join(uris)))

    @behaviour("apps.client-secret", "invented", "A new client secret ends the old one at once.")
    def replace_client_secret(self, connection: Connection, *, app_id: str) -> str:
        """Give an application another client secret.

        Returns:
            The secret, which cannot be got again.
        """
        secret = self._client_secret()
        connection.execute(
            apps.update().where(apps.c.id == app_id).values(client_secret_digest=digest(secret))
        )
        return secret

    def by_client_id(self, connection: Connection, client_id: str) -> App | None:
        """The application with this client id."""
        return _find(connection, apps.c.client_id == client_id)

    def by_id(self, connection: Connection, app_id: str) -> App | None:
        """The application with this id."""
        return _find(connection, apps.c.id == app_id)

    def of_same_developer(self, connection: Connection, app_id: str) -> list[str]:
        """The ids of all applications of the developer who registered this one."""
        owner = select(apps.c.owner_id).where(apps.c.id == app_id).scalar_subquery()
        query = select(apps.c.id).where(apps.c.owner_id.is_not_distinct_from(owner))
        return list(connection.execute(query).scalars())

    def by_client_credentials(
        self, connection: Connection, *, client_id: str, client_secret: str
    ) -> App | None:
        """The application that these two prove (RFC 6749 section 2.3.1)."""
        row = connection.execute(select(apps).where(apps.c.client_id == client_id)).one_or_none()
        if row is None or not same(row.client_secret_digest, digest(client_secret)):
            return None
        return _app(row)

    def any(self, connection: Connection) -> bool:
        """Whether there is any application."""
        return connection.scalar(select(apps.c.id).limit(1)) is not None

    def of_owner(self, connection: Connection, owner_id: str) -> list[App]:
        """The applications that an account registered, newest first."""
        rows = connection.execute(
            select(apps).where(apps.c.owner_id == owner_id).order_by(apps.c.created_at.desc())
        )
        return [_app(row) for row in rows]

    @behaviour(
        "apps.deletion",
        "invented",
        "Deleting an application ends its keys, tokens, access and sign-ins at once. Memories that it wrote "
        "are the users' and stay.",
    )
    def delete(self, connection: Connection, app_id: str) -> None:
        """Delete an application with its keys, requests, tokens and log.

        Raises:
            NotFoundError: There is no such application.
        """
        if not forget_app(connection, app_id, changes=self._changes):
            raise NotFoundError(f"There is no application {app_id!r}.")

    def namesakes(self, connection: Connection) -> frozenset[str]:
        """The ids of all applications whose name another one has too, as people see names."""
        ids_by_look: dict[str, list[str]] = {}
        for app_id, name in connection.execute(select(apps.c.id, apps.c.name)):
            ids_by_look.setdefault(look(name), []).append(app_id)
        return frozenset(app_id for ids in ids_by_look.values() if len(ids) > 1 for app_id in ids)

    def _client_secret(self) -> str:
        return f"secret_{self._randomness.hexadecimal(24)}"


def forget_app(connection: Connection, app_id: str, *, changes: Changes) -> bool:
    """Delete an application; false when there is none."""
    asked = select(access_requests.c.account_id).where(access_requests.c.app_id == app_id).distinct()
    account_ids = connection.scalars(asked).all()
    note_erased(connection)
    connection.execute(request_log.delete().where(request_log.c.app_id == app_id))
    was_there = connection.execute(apps.delete().where(apps.c.id == app_id)).rowcount == 1
    changes.tell_when_committed(connection, app_id, *account_ids)
    return was_there


def _checked_name(name: str) -> str:
    shown = name.strip()
    hidden = hidden_character(shown)
    if hidden is not None:
        raise RegistrationError(f"The name holds a character that nobody can see: {hidden}.")
    if not look(shown) or len(shown) > _NAME_LENGTH:
        raise RegistrationError(f"An application needs a name of at most {_NAME_LENGTH} characters.")
    return shown


def _find(connection: Connection, condition: ColumnElement[bool]) -> App | None:
    row = connection.execute(select(apps).where(condition)).one_or_none()
    return None if row is None else _app(row)


def _app(row: Row[Any]) -> App:
    return App(
        id=row.id,
        owner_id=row.owner_id,
        name=row.name,
        client_id=row.client_id,
        redirect_uris=tuple(row.redirect_uris.split()),
        created_at=row.created_at,
    )
