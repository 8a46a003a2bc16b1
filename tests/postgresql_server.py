"""A real PostgreSQL: the machine's own where it answers, else a cluster that lives as long as it is used."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from typing import TYPE_CHECKING, Final, Self

import sqlalchemy as sql
from sqlalchemy import exc

from tests.services import postgresql_program

if TYPE_CHECKING:
    from collections.abc import Generator

MACHINES_OWN: Final = "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"
DRIVER: Final = "postgresql+psycopg"
UNPRIVILEGED: Final = "postgres"
"""Who runs a cluster where the tests run as root, since PostgreSQL refuses to."""


class PostgreSQLServer:
    """Runs as long as the `with` block; each `database` is a new one."""

    def __init__(self) -> None:
        self._url = MACHINES_OWN
        self._directory: str | None = None

    @contextlib.contextmanager
    def database(self) -> Generator[str]:
        """The URL of an empty database, which is dropped in the end."""
        name = f"memoram_{uuid.uuid4().hex}"
        server = sql.create_engine(self._url, isolation_level="AUTOCOMMIT")
        try:
            with server.connect() as connection:
                connection.execute(sql.text(f"CREATE DATABASE {name}"))
            yield f"{self._url.rpartition('/')[0]}/{name}"
            with server.connect() as connection:
                connection.execute(sql.text(f"DROP DATABASE {name} WITH (FORCE)"))
        finally:
            server.dispose()

    def __enter__(self) -> Self:
        if not _answers(MACHINES_OWN):
            self._start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._directory is not None:
            _run("pg_ctl", "-D", f"{self._directory}/data", "-m", "immediate", "stop")
            shutil.rmtree(self._directory)

    def _start(self) -> None:
        self._directory = tempfile.mkdtemp(prefix="postgresql-")
        if os.geteuid() == 0:
            shutil.chown(self._directory, UNPRIVILEGED)
        data = f"{self._directory}/data"
        _run("initdb", "-D", data, "-U", "postgres", "--auth=trust", "--no-sync")
        port = _free_port()
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c fsync=off -k {self._directory}"
        _run("pg_ctl", "-D", data, "-w", "-l", f"{self._directory}/log", "-o", options, "start")
        self._url = f"{DRIVER}://postgres@127.0.0.1:{port}/postgres"


def _answers(url: str) -> bool:
    engine = sql.create_engine(url, connect_args={"connect_timeout": 2})
    try:
        with engine.connect():
            return True
    except exc.OperationalError:
        return False
    finally:
        engine.dispose()


def _run(program: str, *arguments: str) -> None:
    path = postgresql_program(program)
    assert path is not None, f"PostgreSQL does not answer, and its {program} is not installed"
    user = UNPRIVILEGED if os.geteuid() == 0 else None
    subprocess.run(  # noqa: S603 - our own words
        (path, *arguments), check=True, user=user, cwd="/", stdout=subprocess.DEVNULL
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
