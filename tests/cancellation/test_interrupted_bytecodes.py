"""An interrupt at any bytecode of a blocking call, in our code or a library's, hangs nobody.

The other test of threads interrupts at each of our lines. Here it is each bytecode, a sample of them at a
time, those of httpx, httpcore and h11 included, which have locks that an interrupt does leave held: what must
not happen is that anybody meets such a lock again.
"""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any, Final

import attrs
import pytest

from memoram_sync import Memoram
from memoram_sync.runtime.blocking_runtime import BlockingRuntime
from tests.cancellation.inside import inside
from tests.cancellation.service import PROMPTLY, TOKEN
from tests.raw_server import answer, read_request, serving

if TYPE_CHECKING:
    import socket
    from types import FrameType

# What an interrupt caught before anybody had a name for it ends when it is collected.
pytestmark = [
    pytest.mark.endurance,
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

STRIDE: Final = 41
SAMPLES: Final = 4


def tags(connection: socket.socket) -> None:
    """Answers each request for a tag with that tag."""
    while request := read_request(connection):
        name = request.split(b" ")[1].split(b"?")[0].rpartition(b"/")[2]
        connection.sendall(TOKEN if name == b"token" else answer(b'{"id": "%b"}' % name))


def read(client: Memoram, name: str) -> None:
    assert client.tags.get(name, user_id="u").id == name


@attrs.define
class AtBytecode:
    """Raises KeyboardInterrupt when so many bytecodes have run."""

    left: int
    ran: int = 0

    def __call__(self, frame: FrameType, event: str, argument: object) -> Any:
        frame.f_trace_opcodes = True
        if event == "opcode":
            self.ran += 1
            if self.ran == self.left:
                raise KeyboardInterrupt
        return self


def interrupted(client: Memoram, at: int) -> int:
    """One call in a thread that is interrupted there; how many bytecodes it had."""
    interrupt = AtBytecode(at)

    def work() -> None:
        sys.settrace(interrupt)
        try:
            read(client, f"interrupted_{at}")
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(None)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(PROMPTLY)
    assert not thread.is_alive(), f"hangs when interrupted at {at}"
    return interrupt.ran


@pytest.mark.parametrize("sample", range(SAMPLES))
@pytest.mark.parametrize("warm", [True, False], ids=["kept connection", "new connection"])
def test_an_interrupt_at_any_bytecode_leaves_the_client_whole(sample: int, *, warm: bool) -> None:
    with serving(tags) as url:
        with Memoram("mem_x", base_url=url, runtime=BlockingRuntime(max_connections=2)) as client:
            read(client, "first")
            runtime = inside(client, "_async._family.runtime")
            at = 1 + sample * STRIDE // SAMPLES
            while interrupted(client, at) >= at:
                for number in range(3):
                    read(client, f"after_{at}_{number}")
                if not warm:
                    inside(runtime, "_close_idle")()
                at += STRIDE
        assert at > 1000
