"""A plain script: no event loop, no await.

python -m memoram_local serve        # in another terminal; set the variables that it prints
MEMORAM_MEMORY_KEY=mk_... python examples/script.py
"""

from __future__ import annotations

import os
import sys

from memoram_sync import Memoram, MemoramError


def main(memory_key: str) -> None:
    """Connect, note a few things, find one of them again, delete them."""
    with Memoram() as memoram:
        store = memoram.connect(
            memory_key,
            reason="Keeps the notes of a script",
            on_status=lambda progress: print(f"access: {progress.status}"),
        )
        notes = [
            store.create("Prefers window seats", title="Seat", tags=["travel"], importance=0.8),
            store.create("Is allergic to peanuts", title="Allergy", tags=["food", "travel"], importance=1),
        ]
        for memory in store.list(tags=["travel"]):
            print(f"{memory.created_at:%Y-%m-%d}  {memory.title}: {memory.content}")
        store.update(notes[0].id, content="Prefers aisle seats on long flights")
        print("now:", store.get(notes[0].id).content)
        for note in notes:
            store.delete(note.id)


if __name__ == "__main__":
    if "MEMORAM_MEMORY_KEY" not in os.environ:
        sys.exit("set MEMORAM_MEMORY_KEY to the memory key of a user; the dashboard shows it")
    try:
        main(os.environ["MEMORAM_MEMORY_KEY"])
    except MemoramError as error:
        sys.exit(str(error))
