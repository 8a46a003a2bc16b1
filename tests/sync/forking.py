"""Forks while a client is in use; run by test_forks.py in a process without pytest's threads.

python -m tests.sync.forking SCENARIO < facts and codes as JSON
"""

from __future__ import annotations

import faulthandler
import json
import os
import signal
import sys
import threading
import traceback
from typing import TYPE_CHECKING, Final

from memoram_async.runtime import environment
from tests.sync.calls import CALLS, create, get, request
from tests.sync.scenes import Facts, Scene
from tests.sync.threads import Crew

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

ROUNDS: Final = 20
CREW: Final = 8
BEGINNINGS: Final = 5
LONGEST: Final = 30
ELSEWHERE: Final = "elsewhere.example.com"


def fork(work: Callable[[], None]) -> int:
    """A child that does the work and ends, by force if it hangs; answers its process id."""
    pid = os.fork()
    if pid:
        return pid
    try:
        signal.alarm(LONGEST)
        work()
    except BaseException:  # noqa: BLE001 - whatever it is, the child must not go on as the parent
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def reap(pid: int) -> None:
    """Wait for a child.

    Raises:
        AssertionError: It failed or hung.
    """
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert status == 0, f"the child ended with {status}"


def call_everything(scene: Scene) -> None:
    for call in CALLS:
        call(scene)


def warm(facts: Facts, codes: list[str]) -> None:
    """A client with live connections and a token, in both processes at once, and again in a grandchild."""
    scene = Scene(facts, codes)
    call_everything(scene)

    def in_child() -> None:
        del scene.codes[::2]
        call_everything(scene)
        reap(fork(lambda: call_everything(scene)))

    child = fork(in_child)
    del scene.codes[1::2]
    call_everything(scene)
    reap(child)
    call_everything(scene)
    scene.client.close()


def busy(facts: Facts, codes: list[str]) -> None:
    """Forks at moments when other threads hold whatever there is to hold: odd rounds are still cold."""
    for round_number in range(ROUNDS):
        scene = Scene(facts, codes)
        answered = threading.Semaphore(0)
        stop = threading.Event()

        def work(
            _: int,
            scene: Scene = scene,
            answered: threading.Semaphore = answered,
            stop: threading.Event = stop,
        ) -> None:
            while not stop.is_set():
                get(scene)
                answered.release()

        def in_child(scene: Scene = scene) -> None:
            for call in (get, create, request):
                call(scene)

        crew = Crew(work, size=CREW)
        crew.start()
        if round_number % 2:
            for _ in range(CREW):
                answered.acquire()
        reap(fork(in_child))
        stop.set()
        crew.finish()
        scene.client.close()


def closed(facts: Facts, _: list[str]) -> None:
    """A client that is closed in one process stays open in the other."""
    scene = Scene(facts, [])
    get(scene)
    reap(fork(scene.client.close))
    get(scene)
    scene.client.close()


def cold(facts: Facts, _: list[str]) -> None:
    """Forks at the very moment when another thread makes the first client of the process.

    This process makes none, so that each of its children begins anew.
    """
    for _round in range(BEGINNINGS):
        reap(fork(lambda: begin(facts)))


def begin(facts: Facts) -> None:
    begun = threading.Event()
    make = environment.make_context

    def tell_and_make(cert_file: str, cert_dir: str, key_log: str) -> ssl.SSLContext:
        begun.set()
        return make(cert_file, cert_dir, key_log)

    def get_and_close(_: int = 0) -> None:
        scene = Scene(facts, [])
        environment.TLS.context(ELSEWHERE)
        with scene.client:
            get(scene)

    environment.make_context = tell_and_make
    crew = Crew(get_and_close, size=2)
    crew.start()
    assert begun.wait(LONGEST)
    reap(fork(get_and_close))
    crew.finish()


def main() -> None:
    # Whoever hangs says where, and ends. (faulthandler's own timer does not survive a fork.)
    faulthandler.register(signal.SIGALRM, chain=True)
    signal.alarm(2 * LONGEST)
    given = json.load(sys.stdin)
    scenario = {"warm": warm, "busy": busy, "closed": closed, "cold": cold}[sys.argv[1]]
    scenario(Facts(**given["facts"]), given["codes"])


if __name__ == "__main__":
    main()
