"""A network on which services are functions: respx answers what the SDK's own connections were to send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self, TypeAlias

import attrs
import httpx
import respx

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    Answer: TypeAlias = httpx.Response | Awaitable[httpx.Response]
    Handler: TypeAlias = Callable[[httpx.Request], Answer]

_DOMAIN: Final = "test"


@attrs.frozen
class Hosts:
    """Where the services behind one function are."""

    api: str
    auth: str
    memory_api: str


class RawBody(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that goes out as it is, in whatever encoding is announced: respx decodes others beforehand."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __iter__(self) -> Iterator[bytes]:
        yield self._content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._content


class MockedNetwork:
    """The services of one test, each at hosts of its own, so that it is known which of them was meant.

    The first of them is also all the rest of the world. Nothing is patched until it is there.
    """

    def __init__(self) -> None:
        self._router = respx.MockRouter(assert_all_called=False)
        self._services: list[Handler] = []
        self._at: dict[str, Handler] = {}
        self._ended = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._ended = True
        if self._services:
            self._router.stop(quiet=True)

    def place(self, service: Handler, *addresses: object) -> Hosts:
        """Give a service its hosts: those of the first one are `api.test`, `auth.test` and `memory.test`.

        Args:
            service: What answers; the same one stays where it is.
            addresses: URLs at whose hosts it answers too.
        """
        assert not self._ended, "this world is over: use the fixture"
        if not self._services:
            self._router.route().mock(side_effect=self._answer)
            self._router.start()
        if not any(service is known for known in self._services):
            self._services.append(service)
        number = next(index for index, known in enumerate(self._services, 1) if known is service)
        ending = f"{'' if number == 1 else f'-{number}'}.{_DOMAIN}"
        hosts = Hosts(*(name + ending for name in ("api", "auth", "memory")))
        others = [host for address in addresses for host in str(address).split("/")[2:3]]
        for host in (*attrs.astuple(hosts), *others):
            assert self._at.setdefault(host, service) is service, f"another service is at {host}"
        return hosts

    def _answer(self, request: httpx.Request) -> Answer:
        return self._at.get(request.url.host, self._services[0])(request)
