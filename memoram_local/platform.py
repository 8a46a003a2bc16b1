"""A whole platform as one object."""

from __future__ import annotations

from contextlib import contextmanager
from os import fspath
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from memoram_local.application import build_application
from memoram_local.clock import Clock
from memoram_local.controls.controls import Controls
from memoram_local.controls.faults import Bench
from memoram_local.controls.rig import Rig
from memoram_local.errors import DataDirectoryError, NotFoundError, RegistrationError
from memoram_local.hashing import PasswordProfile, PasswordProfileName
from memoram_local.http.forms import Fields
from memoram_local.oauth.authorization import (
    AuthorizationError,
    UntrustedRequestError,
    destination,
    wish,
)
from memoram_local.process.server import serving
from memoram_local.randomness import Randomness
from memoram_local.services.applications import applications_of
from memoram_local.services.registration import open_account
from memoram_local.services.services import assemble
from memoram_local.store.database import Database
from memoram_local.user import User

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence
    from os import PathLike
    from typing import Self

    from sqlalchemy import Connection
    from starlette.types import ASGIApp

    from memoram_local.controls.policies import Policy
    from memoram_local.limits import Limits
    from memoram_local.master_keys import MasterKeySource
    from memoram_local.process.server import LocalServer
    from memoram_local.services.applications import Application
    from memoram_local.store.access_requests import AccessRequest, Decision
    from memoram_local.store.apps import App, RegisteredApp

__all__ = ["MemoramLocal", "User"]

_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})

_Result = TypeVar("_Result")


class MemoramLocal(Controls):
    """A Memoram platform with its own store, clock and randomness.

    Any number of them live side by side in one process. Use it as a context manager, or call `close`.
    Its methods do what people do on its pages; they block, and may be called from any thread.

    Args:
        data: The directory that keeps the data, made when missing; None keeps everything in memory.
        master_key: Where the key is that users' encryption keys and the signing key are sealed under in a
            data directory: a `MasterKeyFile`, `MasterKeyVariable` or `MasterKeyCommand`. By default it is in
            the environment variable MEMORAM_LOCAL_MASTER_KEY or, where that is not set, in a file among the
            user's own settings, which is made when it is needed.
        clock: Where the time comes from; the system's by default.
        seed: Makes ids, keys, codes and tokens repeatable. They can then be guessed: for tests alone.
        password_profile: `strong` for people; `fast` for tests, where a hash need not cost anything.
        base_url: The origin under which it is reached, such as `https://memoram.test`; its host is then
            allowed too. By default it goes by the Host header of each request.
        allowed_hosts: Further host names under which it may be reached, beside those of this machine.
        max_body_octets: The largest request body that is read.
        list_whole_account: List the access requests of all applications of a developer to each of them, as
            the contract says; by default each sees its own.
        strict: Hold requests and answers to the contract: a request that differs is refused with 400, an
            answer that differs becomes 500. By default unknown members and parameters are ignored.
        decide: Who decides access requests that no person decides, such as `AutoApprove()` from
            `memoram_local.testing`; nobody by default.
        limits: How much it takes, and how often; see `Limits`.

    Raises:
        DataDirectoryError: The data directory cannot be used, or another platform uses it.
        MasterKeyError: The master key of the data is missing, or cannot be kept.
        ValueError: `base_url` is not an origin.

    Example:
        >>> with MemoramLocal(password_profile="fast") as local:
        ...     app = local.register_app(name="Planner")
        ...     with local.serve() as server:
        ...         server.url.startswith("http://127.0.0.1:")
        True
    """

    def __init__(
        self,
        *,
        data: str | PathLike[str] | None = None,
        master_key: MasterKeySource | None = None,
        clock: Clock | None = None,
        seed: str | int | None = None,
        password_profile: PasswordProfileName = "strong",  # noqa: S107 - a name, not a password
        base_url: str | None = None,
        allowed_hosts: Iterable[str] = (),
        max_body_octets: int = 4 * 1024 * 1024,
        list_whole_account: bool = False,
        strict: bool = False,
        decide: Policy | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._clock = clock or Clock()
        hosts = {*_THIS_MACHINE, *(host.lower() for host in allowed_hosts)}
        if base_url is not None:
            hosts.add(_host_of_origin(base_url))
        if data is not None and not fspath(data).strip():
            # It would be the current directory, which a variable that was not set would fill with files.
            raise DataDirectoryError("the data directory has no name: give one, such as memoram-local-data")
        self._database = Database(None if data is None else Path(data), master_key=master_key)
        try:
            services = assemble(
                clock=self._clock,
                randomness=Randomness(seed),
                database=self._database,
                passwords=PasswordProfile.named(password_profile),
                base_url=base_url,
                lists_whole_account=list_whole_account,
                limits=limits,
            )
        except BaseException:
            self._database.discard()
            raise
        super().__init__(services, policy=decide)
        self._app = build_application(
            services,
            allowed_hosts=hosts,
            max_body_octets=max_body_octets,
            strict=strict,
            rig=Rig(
                journal=self._journal,
                faults=self._faults,
                decisions=self._decisions,
                bench=Bench(services, self._history),
            ),
        )

    @property
    def app(self) -> ASGIApp:
        """The ASGI application, to call in process; it needs no lifespan events."""
        return self._app

    @property
    def clock(self) -> Clock:
        """Where all its times come from."""
        return self._clock

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the store. What was in memory is gone. A second call does nothing."""
        self._database.close()

    def discard(self) -> None:
        """Let go of the store after a start that failed; a data directory that it made is deleted again."""
        self._database.discard()

    @contextmanager
    def serve(self, *, host: str = "127.0.0.1", port: int = 0) -> Generator[LocalServer]:
        """Serve it on a loopback address from a thread of its own, for as long as the `with` block runs.

        It answers when the block is entered. Afterwards the platform itself is still open.

        Args:
            host: `localhost`, `127.0.0.1` or `::1`.
            port: 0 for any free one.

        Raises:
            AddressError: The host is not on this machine alone, or the port is taken.
        """
        changes = self._services.changes
        try:
            limits = self._services.limits
            with serving(self._app, host=host, port=port, on_stop=changes.release, limits=limits) as server:
                yield server
        finally:
            changes.resume()

    def register_app(self, *, name: str, redirect_uris: Sequence[str] = ()) -> RegisteredApp:
        """Register an application, as a developer does on the portal.

        Returns:
            The application with its secrets, which cannot be got again.

        Raises:
            RegistrationError: The name or a redirect URI cannot be used.
        """
        apps = self._services.apps
        return self._write(
            lambda connection: apps.register(
                connection, name=name, redirect_uris=redirect_uris, owner_id=None
            )
        )

    def create_user(self, *, email: str, password: str) -> User:
        """Open an account, as a person does by signing up.

        Raises:
            RegistrationError: The email address or the password cannot be used.
        """
        account, key = open_account(self._services, email=email, password=password)
        return User(account.id, account.email, account.memory_key, key.key)

    def access_requests(self, *, user_id: str | None = None) -> list[AccessRequest]:
        """All access requests, or those to one user; newest first."""
        self._decisions.settle_now()
        requests = self._services.access_requests
        return self._read(lambda connection: requests.all(connection, account_id=user_id))

    def approve(self, request_id: str) -> AccessRequest:
        """Approve an access request, as its user does on the dashboard.

        Raises:
            DecisionError: The request was rejected or revoked.
            NotFoundError: There is no such request.
        """
        return self._decide(request_id, "approve")

    def reject(self, request_id: str) -> AccessRequest:
        """Reject an access request, as its user does on the dashboard.

        Raises:
            DecisionError: The request was approved or revoked.
            NotFoundError: There is no such request.
        """
        return self._decide(request_id, "reject")

    def revoke(self, request_id: str) -> AccessRequest:
        """End all access of an access request's application to its user, as the user does on the dashboard.

        Every approved request is revoked, and the user's consents by OAuth are undone with their tokens.

        Raises:
            DecisionError: The request is not approved.
            NotFoundError: There is no such request.
        """
        return self._decide(request_id, "revoke")

    def applications(self, user_id: str) -> list[Application]:
        """The applications that a user was signed in to, or that asked, have access or had it, and why."""
        self._decisions.settle_now()
        services = self._services
        return self._read(lambda connection: applications_of(services, connection, user_id))

    def undo_consent(self, *, user_id: str, app_id: str) -> int:
        """Undo a user's consents to an application by OAuth, and end all tokens that were issued for them.

        Approved access requests stand on their own; `revoke` ends those too.

        Returns:
            How many consents stood until now.
        """
        consents = self._services.consents
        return self._write(lambda connection: consents.end(connection, app_id=app_id, account_id=user_id))

    def delete_user(self, user_id: str) -> None:
        """Delete an account with its memories, keys and all that applications were allowed.

        Raises:
            NotFoundError: There is no such user.
        """
        accounts = self._services.accounts
        self._write(lambda connection: accounts.delete(connection, user_id))

    def delete_app(self, app_id: str) -> None:
        """Delete an application with its keys, tokens and access. Memories that it wrote are the users'.

        Raises:
            NotFoundError: There is no such application.
        """
        apps = self._services.apps
        self._write(lambda connection: apps.delete(connection, app_id))

    def rotate_key(self, user_id: str) -> int:
        """Give a user a fresh encryption key. The older ones are still served, each by its version.

        Returns:
            The version of the new key.

        Raises:
            NotFoundError: There is no such user.
        """
        accounts = self._services.accounts
        return self._write(lambda connection: accounts.rotate_key(connection, user_id))

    def authorize(
        self,
        *,
        user_id: str,
        client_id: str,
        redirect_uri: str,
        scope: str | None = None,
        code_challenge: str | None = None,
    ) -> str:
        """Consent to an application's OAuth request, as the user does on the consent page.

        Args:
            user_id: Who consents.
            client_id: To which application.
            redirect_uri: A registered one.
            scope: As the application asks for.
            code_challenge: Of PKCE S256, when the application uses it.

        Returns:
            The code that the application would be redirected with, good once and for 60 seconds.

        Raises:
            NotFoundError: There is no such user or application.
            RegistrationError: The redirect URI is not registered, or the challenge is malformed.
        """
        services = self._services

        def issue(connection: Connection) -> str:
            app = services.apps.by_client_id(connection, client_id)
            if app is None or services.accounts.by_id(connection, user_id) is None:
                raise NotFoundError("There is no such user or application.")
            _check_consent(app, redirect_uri=redirect_uri, code_challenge=code_challenge)
            return services.grants.issue_code(
                connection,
                app_id=app.id,
                account_id=user_id,
                redirect_uri=redirect_uri,
                scope=scope,
                code_challenge=code_challenge,
            )

        return self._write(issue)

    @property
    def has_apps(self) -> bool:
        """Whether any application is registered."""
        apps = self._services.apps
        return self._read(apps.any)

    def _decide(self, request_id: str, decision: Decision) -> AccessRequest:
        requests = self._services.access_requests
        return self._write(lambda connection: requests.decide(connection, request_id, decision))

    def _read(self, work: Callable[[Connection], _Result]) -> _Result:
        return self._database.read_now(work)

    def _write(self, work: Callable[[Connection], _Result]) -> _Result:
        before = self._history.state_now()
        result = self._database.write_now(work)
        self._history.keep(before)
        return result


def _check_consent(app: App, *, redirect_uri: str, code_challenge: str | None) -> None:
    pairs = [("response_type", "code"), ("redirect_uri", redirect_uri)]
    if code_challenge is not None:
        pairs += [("code_challenge", code_challenge), ("code_challenge_method", "S256")]
    fields = Fields(pairs)
    try:
        destination(fields, app, issuer="")
        wish(fields)
    except (AuthorizationError, UntrustedRequestError) as error:
        raise RegistrationError(str(error)) from error


def _host_of_origin(base_url: str) -> str:
    parts = urlsplit(base_url)
    if parts.scheme not in {"http", "https"} or parts.hostname is None:
        raise ValueError("base_url must begin with http:// or https:// and a host")
    if base_url != f"{parts.scheme}://{parts.netloc}" or "@" in parts.netloc:
        raise ValueError("base_url must be an origin: no path, no trailing slash, no user")
    return parts.hostname
