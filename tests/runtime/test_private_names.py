"""Names of httpx's, httpcore's and h11's that are not documented, and that connections of our own rely on.

Where one of these fails, a new version of the library has changed: look at the module that the message names.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from typing import TYPE_CHECKING, Any, Final

import h11
import httpcore
import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

ORIGIN = httpcore.Origin(b"https", b"api.test", 443)
CLEAR = httpcore.Origin(b"http", b"api.test", 80)


def used_of(variable: str, function: Any) -> set[str]:
    """The attributes of a variable that a function uses."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == variable
    }


@pytest.mark.parametrize(
    "method",
    [
        httpx.HTTPTransport.handle_request,
        httpx.HTTPTransport.close,
        httpx.AsyncHTTPTransport.handle_async_request,
        httpx.AsyncHTTPTransport.aclose,
    ],
    ids=lambda method: method.__qualname__,
)
def test_httpxs_transports_need_nothing_but_their_pool(method: Any) -> None:
    assert used_of("self", method) == {"_pool"}, (
        f"{method.__qualname__} of httpx uses other attributes than _pool: set them in the transports of "
        "memoram_async/runtime/intercepted.py and memoram_sync/runtime/intercepted.py"
    )


def tls() -> Any:
    return httpx.create_ssl_context(verify=False)


def through(kind: str, origin: httpcore.Origin, proxy: str) -> Any:
    """What a proxy's pool makes a connection of."""
    return getattr(httpcore, kind)(proxy, ssl_context=tls()).create_connection(origin)


CONNECTIONS: Final[dict[str, Callable[[], Any]]] = {
    "HTTPConnection": lambda: httpcore.HTTPConnection(ORIGIN, ssl_context=tls()),
    "AsyncHTTPConnection": lambda: httpcore.AsyncHTTPConnection(ORIGIN, ssl_context=tls()),
    "HTTPProxy to https": lambda: through("HTTPProxy", ORIGIN, "http://proxy.test"),
    "HTTPProxy to http": lambda: through("HTTPProxy", CLEAR, "http://proxy.test"),
    "AsyncHTTPProxy to https": lambda: through("AsyncHTTPProxy", ORIGIN, "http://proxy.test"),
    "AsyncHTTPProxy to http": lambda: through("AsyncHTTPProxy", CLEAR, "http://proxy.test"),
    "SOCKSProxy": lambda: through("SOCKSProxy", ORIGIN, "socks5://proxy.test"),
    "AsyncSOCKSProxy": lambda: through("AsyncSOCKSProxy", ORIGIN, "socks5://proxy.test"),
}


@pytest.mark.parametrize("kind", CONNECTIONS)
def test_httpcores_connections_hold_the_one_that_speaks_under_one_name(kind: str) -> None:
    connection = CONNECTIONS[kind]()
    assert hasattr(connection, "_connection"), (
        f"a connection of {kind} no longer keeps another as _connection: see is_reusable in "
        "memoram_async/runtime/connection_reuse.py"
    )
    for name in ("is_idle", "has_expired", "aclose" if "Async" in kind else "close"):
        assert callable(getattr(connection, name, None)), f"a connection of {kind} has no {name}()"


@pytest.mark.parametrize("kind", [httpcore.HTTP11Connection, httpcore.AsyncHTTP11Connection])
def test_what_speaks_http_keeps_its_state_where_leftovers_are_looked_for(kind: Any) -> None:
    connection = kind(ORIGIN, stream=None)
    state = getattr(connection, "_h11_state", None)
    assert isinstance(state, h11.Connection), (
        f"{kind.__name__} of httpcore no longer keeps h11's connection as _h11_state: see is_reusable in "
        "memoram_async/runtime/connection_reuse.py, which would take a stray answer for the next request's"
    )
    assert state.trailing_data == (b"", False)


@pytest.mark.parametrize("kind", ["AsyncHTTPProxy", "AsyncSOCKSProxy"])
def test_a_proxys_pool_tells_its_connections(kind: str) -> None:
    scheme = "socks5" if "SOCKS" in kind else "http"
    pool = getattr(httpcore, kind)(f"{scheme}://proxy.test", max_connections=1)
    assert pool.connections == [], f"{kind}.connections has changed: see is_reusable"
