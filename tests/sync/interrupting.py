"""Calls that Ctrl-C ends; run by test_interrupts.py in a process of its own.

python -m tests.sync.interrupting SCENARIO URL

It prints a line whenever it is ready for the next step, and reads nothing.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import Final

from memoram_sync import Memoram
from tests.sync.threads import Crew

INTERRUPTS: Final = 40
"""More than there are connections: one that is not given back would be missed in the end."""


def tell(line: str) -> None:
    """Say how far it has come."""
    print(line, flush=True)  # noqa: T201 - the other process reads it


def tag(client: Memoram, tag_id: str) -> None:
    assert client.tags.get(tag_id, user_id="u").id == tag_id


def interrupted(client: Memoram, tag_id: str) -> None:
    """A call whose request the service does not answer, but with an interrupt."""
    try:
        tag(client, tag_id)
    except KeyboardInterrupt:
        return
    raise AssertionError("not interrupted")


def requests(client: Memoram) -> None:
    """One interrupt after the other, then calls as ever."""
    for _ in range(INTERRUPTS):
        interrupted(client, "held")
    tag(client, "quick")


def beside(client: Memoram) -> None:
    """Interrupts in the main thread while others use the client, who notice nothing."""
    stop = threading.Event()

    def work(_: int) -> None:
        while not stop.is_set():
            tag(client, "quick")

    crew = Crew(work, size=4)
    crew.start()
    for _ in range(INTERRUPTS):
        interrupted(client, "held")
    stop.set()
    crew.finish()


def leader(client: Memoram) -> None:
    """The call that exchanges the key for all is interrupted: one of those who wait takes over."""
    crew = Crew(lambda _: tag(client, "quick"), size=20)
    hurry = threading.Timer(0.2, crew.start)  # while the first exchange is held
    hurry.start()
    interrupted(client, "quick")
    hurry.join()
    crew.finish()
    tag(client, "quick")


def approval(client: Memoram) -> None:
    """A wait for the user is interrupted between two polls, and can be taken up again."""
    try:
        client.access_requests.wait("pending", on_status=lambda progress: tell(str(progress.status)))
    except KeyboardInterrupt:
        tell("interrupted")
    assert client.access_requests.wait("approved").status == "approved"
    tag(client, "quick")


def main() -> None:
    scenario = {"requests": requests, "beside": beside, "leader": leader, "approval": approval}[sys.argv[1]]
    with Memoram(f"mem_{os.getpid()}", base_url=sys.argv[2], max_retries=0) as client:
        scenario(client)
    tell("usable to the end")


if __name__ == "__main__":
    main()
