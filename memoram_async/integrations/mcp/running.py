"""What the command runs: a server for one user on stdio, or for many over HTTP.

What one of them alone needs is loaded for it alone: clients start the other one with every conversation.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import anyio
from mcp.server.auth.settings import AuthSettings
from mcp.server.transport_security import TransportSecuritySettings

from memoram_async.client import AsyncMemoram
from memoram_async.core.errors import ConfigurationError
from memoram_async.core.sealing import sealing_secrets
from memoram_async.core.secret import Secret, conceal
from memoram_async.grants.sql_store import DEFAULT_URL, SQLGrantStore
from memoram_async.integrations.mcp.access import ConnectedUsers, KeyHolder
from memoram_async.integrations.mcp.server import MemoryServer

_LINK: Final = "/memoram/link"
_CALLBACK: Final = "/memoram/callback"
_SIGNED_IN: Final = "/memoram/signed-in"
_LOOPBACK: Final = "127.0.0.1"


def run(options: argparse.Namespace) -> None:
    """Serve until the client leaves, or for ever.

    Raises:
        MemoramError: The configuration cannot be used.
    """
    if options.http:
        anyio.run(_over_http, options)
        return
    # What reads standard input cannot be interrupted, so Ctrl-C would wait for the next line.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        anyio.run(_on_stdio, options)
    except* BrokenPipeError:  # the client has left, and does not wait for the answer
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


async def _on_stdio(options: argparse.Namespace) -> None:
    memory_key = conceal(os.environ.get("MEMORAM_MEMORY_KEY", ""))
    async with AsyncMemoram() as memoram:
        if memory_key.reveal():
            holder = KeyHolder(memoram, memory_key, reason=options.reason)
            await MemoryServer(holder, token_budget=options.token_budget).run_stdio_async()
            return
        async with _linked_user(memoram, options) as users:
            await MemoryServer(users, token_budget=options.token_budget).run_stdio_async()


@asynccontextmanager
async def _linked_user(memoram: AsyncMemoram, options: argparse.Namespace) -> AsyncGenerator[ConnectedUsers]:
    """The user who runs this, and a page on this machine that links the account."""
    from starlette.applications import Starlette  # noqa: PLC0415 - see above
    from starlette.middleware import Middleware  # noqa: PLC0415
    from starlette.middleware.trustedhost import TrustedHostMiddleware  # noqa: PLC0415

    from memoram_async.integrations.mcp.link_pages import LinkPages  # noqa: PLC0415
    from memoram_async.integrations.mcp.web_server import web_server  # noqa: PLC0415

    grants = _grants(options.grants)
    with grants, socket.socket() as listener:
        listener.bind((_LOOPBACK, 0))
        listener.listen()
        origin = f"http://{_LOOPBACK}:{listener.getsockname()[1]}"
        connections = memoram.connections(
            grants,
            redirect_uri=f"{origin}{_CALLBACK}",
            reason=options.reason,
        )
        pages = LinkPages(
            connections,
            link_url=f"{origin}{_LINK}",
            callback_url=f"{origin}{_CALLBACK}",
            secrets=_secrets(),
            sign_in=None,
        )
        # Another site whose name leads here would be let in otherwise.
        hosts = Middleware(TrustedHostMiddleware, allowed_hosts=[_LOOPBACK])
        async with anyio.create_task_group() as group:
            server = web_server(Starlette(routes=pages.routes(), middleware=[hosts]))
            group.start_soon(server.serve, [listener])
            yield ConnectedUsers(memoram, connections, user=lambda: "me", link_url=pages.url_for)
            server.should_exit = True


async def _over_http(options: argparse.Namespace) -> None:
    from memoram_async.integrations.mcp.issuer import Issuer, IssuerTokens  # noqa: PLC0415 - see above
    from memoram_async.integrations.mcp.link_pages import LinkPages  # noqa: PLC0415
    from memoram_async.integrations.mcp.sign_in import SignIn  # noqa: PLC0415
    from memoram_async.integrations.mcp.web_server import serve_until_told  # noqa: PLC0415

    host = f"[{options.host}]" if ":" in options.host else options.host
    url = options.url or f"http://{host}:{options.port}/mcp"
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc}"
    issuer = Issuer(options.issuer)
    secrets = _secrets()
    sign_in = SignIn(
        issuer,
        client_id=os.environ["MEMORAM_SIGN_IN_CLIENT_ID"],
        client_secret=conceal(os.environ["MEMORAM_SIGN_IN_CLIENT_SECRET"]),
        callback_url=f"{origin}{_SIGNED_IN}",
        secrets=secrets,
    )
    with _grants(options.grants or DEFAULT_URL) as grants:
        async with AsyncMemoram() as memoram:
            connections = memoram.connections(
                grants,
                redirect_uri=f"{origin}{_CALLBACK}",
                reason=options.reason,
            )
            pages = sign_in.pages = LinkPages(
                connections,
                link_url=f"{origin}{_LINK}",
                callback_url=f"{origin}{_CALLBACK}",
                secrets=secrets,
                sign_in=sign_in.begin,
            )
            server = MemoryServer(
                ConnectedUsers(memoram, connections, link_url=pages.url_for),
                token_budget=options.token_budget,
                token_verifier=IssuerTokens(issuer, audience=options.audience),
                auth=_auth(issuer=options.issuer, url=url),
            )
            app = server.streamable_http_app(
                streamable_http_path=parts.path or "/",
                transport_security=TransportSecuritySettings(
                    allowed_hosts=[parts.netloc], allowed_origins=[origin]
                ),
            )
            app.router.routes.extend([*pages.routes(), *sign_in.routes()])
            with _listener(options.host, options.port) as listener:
                await serve_until_told(app, listener)


def _auth(*, issuer: str, url: str) -> AuthSettings:
    """Who issues access tokens, and for what. The verifier checks the audience.

    Raises:
        ConfigurationError: One of them is no address.
    """
    # From texts, which stay as they are: an issuer is compared letter by letter.
    settings = {"issuer_url": issuer, "resource_server_url": url, "validate_token_resource": False}
    with suppress(ValueError):
        return AuthSettings.model_validate(settings)
    raise ConfigurationError("--issuer, --url and --host must make addresses that clients can reach")


def _listener(host: str, port: int) -> socket.socket:
    """A socket at an address of this machine, of either version of IP.

    Raises:
        ConfigurationError: It cannot be had.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise ConfigurationError(f"cannot listen on {host}, port {port}: {error.strerror}") from None
    return listener


def _secrets() -> tuple[Secret, ...]:
    return sealing_secrets(
        os.environ.get("MEMORAM_SECRET"),
        name="MEMORAM_SECRET",
        api_key=conceal(os.environ.get("MEMORAM_API_KEY", "")),
    )


def _grants(url: str | None) -> SQLGrantStore:
    """Where grants are kept: in a database that is known to take them, or in a file of the user's.

    Raises:
        ConfigurationError: It does not.
    """
    if find_spec("sqlalchemy") is None:
        raise ConfigurationError(
            "who has linked an account is kept with SQLAlchemy, which is not installed: "
            "pip install 'memoram[mcp,sql]'"
        )
    grants = SQLGrantStore(url or _grants_of_this_user())
    try:
        grants.swap("memoram-mcp", b"nothing", b"nothing")
    except Exception as error:  # noqa: BLE001 - of whatever kind the database's driver has
        grants.close()
        told = getattr(error, "orig", None) or getattr(error, "strerror", None) or type(error).__name__
        reason = str(told).partition("\n")[0]
    else:
        return grants
    raise ConfigurationError(f"no grants can be kept in the database: {reason}; --grants names another place")


def _grants_of_this_user() -> str:
    """The URL of the file where grants of the user who runs this lie."""
    known = os.environ.get("XDG_DATA_HOME") or os.environ.get("LOCALAPPDATA")
    try:
        folder = (Path(known) if known else Path.home() / ".local" / "share") / "memoram"
    except RuntimeError:
        raise ConfigurationError(
            "there is no home directory to keep grants in: --grants names another place"
        ) from None
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"no grants can be kept in {folder}: {error.strerror}; --grants names another place"
        ) from None
    return f"sqlite:///{folder / 'mcp-grants.db'}"
