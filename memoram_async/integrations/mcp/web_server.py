"""A web server inside a process that has other things to do, such as speaking on its standard output."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Literal

import uvicorn
from starlette.applications import Starlette


class _Uvicorn(uvicorn.Server):
    """Leaves signals to whoever runs the process."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def web_server(app: Starlette, *, lifespan: Literal["on", "off"] = "off") -> uvicorn.Server:
    """A server that writes nothing: not where the protocol goes, and no addresses, which lead to accounts."""
    return _Uvicorn(
        uvicorn.Config(app, log_config=None, access_log=False, lifespan=lifespan, server_header=False)
    )
