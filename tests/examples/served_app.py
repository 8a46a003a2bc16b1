"""The FastAPI example, served by two workers as its first lines say."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs
import httpx

from memoram_local import LocalServer, MemoramLocal

if TYPE_CHECKING:
    from collections.abc import Generator

    from memoram_local import User

ROOT: Final = Path(__file__).resolve().parents[2]
SECRET: Final = "a-secret-of-the-applications-own-of-32-bytes"
WORKERS: Final = 2


@attrs.frozen
class Served:
    """The example at work.

    Attributes:
        local: The platform.
        server: Where that is.
        url: Where the example is.
        restart: Ends its workers, and starts others in their place.
    """

    local: MemoramLocal
    server: LocalServer
    url: str
    restart: Callable[[], None]

    def account(self, name: str) -> User:
        """Somebody new on the platform."""
        return self.local.create_user(email=f"{name}@example.com", password="correct horse battery")

    @contextlib.contextmanager
    def browser(self, name: str) -> Generator[httpx.Client]:
        """A browser in which somebody has signed in to the example."""
        with httpx.Client(base_url=self.url, trust_env=False, timeout=60) as http:
            assert http.get("/signin", params={"user": name}).status_code == 307
            yield http

    def consent(self, begun: httpx.Response, account: User) -> dict[str, str]:
        """What the browser comes back with once the account's owner has consented."""
        query = httpx.URL(begun.headers["location"]).params
        code = self.local.authorize(
            user_id=account.id,
            client_id=query["client_id"],
            redirect_uri=query["redirect_uri"],
            code_challenge=query["code_challenge"],
        )
        return {"code": code, "state": query["state"]}

    def link(self, http: httpx.Client, account: User) -> None:
        """Link an account, as the browser is sent about."""
        came_back = self.consent(http.get("/memoram/connect"), account)
        answer = http.get("/memoram/callback", params=came_back)
        assert answer.status_code == 303, answer.text
        assert answer.headers["location"] == "/"


@contextlib.contextmanager
def served(folder: Path, **options: Any) -> Generator[Served]:
    """The example in a folder, on a platform of its own; every warning is an error there.

    Args:
        folder: Where its grants lie.
        options: Of the platform.
    """
    url = f"http://localhost:{_free_port()}"
    with MemoramLocal(password_profile="fast", **options) as local, local.serve() as server:
        app = local.register_app(name="Notes", redirect_uris=[f"{url}/memoram/callback"])
        environment = {
            "MEMORAM_API_KEY": app.api_key,
            "MEMORAM_BASE_URL": server.api_url,
            "MEMORAM_AUTH_URL": server.auth_url,
            "MEMORAM_CLIENT_ID": app.client_id,
            "MEMORAM_CLIENT_SECRET": app.client_secret,
            "MEMORAM_SECRET": SECRET,
            "MEMORAM_DASHBOARD_URL": f"{server.url}/dashboard",
            "APP_URL": url,
            "PYTHONPATH": str(ROOT),
        }
        workers = contextlib.ExitStack()

        def start() -> None:
            workers.enter_context(_running(folder, url.rpartition(":")[2], environment))

        def restart() -> None:
            workers.close()
            start()

        with workers:
            start()
            yield Served(local, server, url, restart)


@contextlib.contextmanager
def _running(folder: Path, port: str, environment: dict[str, str]) -> Generator[None]:
    """The workers, until the end of the block."""
    command = ("-m", "uvicorn", "--workers", str(WORKERS), "--port", port, "examples.fastapi_app:app")
    with subprocess.Popen(  # noqa: S603 - our own words
        (sys.executable, "-u", "-W", "error", *command),
        stderr=subprocess.PIPE,
        encoding="utf-8",
        cwd=folder,
        env={**os.environ, **environment},
    ) as process:
        try:
            _wait_until_started(process)
            yield
        finally:
            process.terminate()
            process.communicate()


def _wait_until_started(process: subprocess.Popen[str]) -> None:
    assert process.stderr is not None
    started, said = 0, ""
    for line in process.stderr:
        said += line
        started += "startup complete" in line
        if started == WORKERS:
            return
    message = f"it did not start: {said}"
    raise AssertionError(message)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
