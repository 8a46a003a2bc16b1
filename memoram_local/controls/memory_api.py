"""What tests and programs do with Memory API, the second service, beside its requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from memoram_local.errors import NotFoundError, RegistrationError
from memoram_local.store.memory_api.keys import ENVIRONMENTS, SCOPES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlalchemy import Connection

    from memoram_local.controls.history import History
    from memoram_local.services.rate_limits import Limits
    from memoram_local.services.services import Services
    from memoram_local.store.memory_api.keys import Environment, Scope

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class IssuedApiKey:
    """A key of Memory API, with the secret that cannot be got again.

    Attributes:
        id: The key.
        org_id: Whose it is.
        key: The key itself.
    """

    id: str
    org_id: str
    key: str = field(repr=False)


class MemoryApiControls:
    """Organizations, keys and limits of Memory API. All its methods may be called from any thread."""

    def __init__(self, services: Services, history: History) -> None:
        self._services = services
        self._parts = services.memory_api
        self._history = history

    @property
    def limits(self) -> Limits:
        """How much each organization may call; set it to change that from the next request on."""
        return self._parts.limiter.limits

    @limits.setter
    def limits(self, limits: Limits) -> None:
        self._parts.limiter.limits = limits
        self._parts.limiter.forget()

    def sign_up(
        self,
        *,
        name: str = "Planner",
        email: str = "developer@example.test",
        environment: Environment = "live",
    ) -> IssuedApiKey:
        """Open an organization, as the operation `signup` does.

        Returns:
            Its first key, which has every scope.

        Raises:
            RegistrationError: The name or the environment cannot be used.
        """
        _check(name, environment, SCOPES)

        def store(connection: Connection) -> IssuedApiKey:
            organization = self._parts.organizations.create(connection, name=name, email=email)
            made = self._parts.keys.issue(
                connection, org_id=organization.id, name="Default Key", environment=environment, scopes=SCOPES
            )
            return IssuedApiKey(made.key.id, organization.id, made.secret)

        return self._write(store)

    def issue_key(
        self,
        org_id: str,
        *,
        scopes: Iterable[Scope],
        name: str = "Default Key",
        environment: Environment = "live",
        expires_in_days: int | None = None,
    ) -> IssuedApiKey:
        """Give an organization one more key, as the operation `createApiKey` does.

        Raises:
            NotFoundError: There is no such organization.
            RegistrationError: A value cannot be used.
        """
        wanted = tuple(scopes)
        _check(name, environment, wanted)

        def store(connection: Connection) -> IssuedApiKey:
            if self._parts.organizations.get(connection, org_id) is None:
                raise NotFoundError("There is no such organization.")
            made = self._parts.keys.issue(
                connection,
                org_id=org_id,
                name=name,
                environment=environment,
                scopes=wanted,
                expires_in_days=expires_in_days,
            )
            return IssuedApiKey(made.key.id, org_id, made.secret)

        return self._write(store)

    def set_key_active(self, key_id: str, *, active: bool) -> None:
        """Disable a key, or enable it again.

        Raises:
            NotFoundError: There is no such key.
        """
        self._write(lambda connection: self._parts.keys.set_active(connection, key_id, active=active))

    def set_organization_active(self, org_id: str, *, active: bool) -> None:
        """Disable an organization, or enable it again.

        Raises:
            NotFoundError: There is no such organization.
        """
        organizations = self._parts.organizations
        self._write(lambda connection: organizations.set_active(connection, org_id, active=active))

    def _write(self, work: Callable[[Connection], _Result]) -> _Result:
        before = self._history.state_now()
        result = self._services.database.write_now(work)
        self._history.keep(before)
        return result


def _check(name: str, environment: str, scopes: tuple[str, ...]) -> None:
    if not name.strip():
        raise RegistrationError("a name must not be empty")
    if environment not in ENVIRONMENTS:
        raise RegistrationError(f"environment must be one of {', '.join(ENVIRONMENTS)}")
    if not scopes or not set(scopes) <= set(SCOPES):
        raise RegistrationError(f"scopes must be some of {', '.join(SCOPES)}")
