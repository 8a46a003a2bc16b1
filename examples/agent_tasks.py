"""Hundreds of agent tasks share one client: one token, one set of connections, one store.

python -m memoram_local serve        # in another terminal; set the variables that it prints
MEMORAM_MEMORY_KEY=mk_... python examples/agent_tasks.py
"""

from __future__ import annotations

import asyncio
import os
import sys

from memoram_async import AsyncMemoram, AsyncMemoryStore, MemoramError

TASKS = 300


async def agent(store: AsyncMemoryStore, number: int) -> str:
    """One agent's turn: look at what is known, then note what was learnt."""
    known = await store.list(tags=["agents"], page_size=5).first_page()
    memory = await store.create(
        f"Agent {number} found {len(known.items)} memories and added this one",
        tags=["agents"],
        importance=0.5,
        source="examples/agent_tasks.py",
    )
    return memory.id


async def main(memory_key: str) -> None:
    """Connect once, run all agents at once, tidy up."""
    async with AsyncMemoram() as memoram:
        store = await memoram.connect(
            memory_key,
            reason="Lets agents remember what they learnt",
            on_status=lambda progress: print(f"access: {progress.status}"),
        )
        async with asyncio.TaskGroup() as group:
            agents = [group.create_task(agent(store, number)) for number in range(TASKS)]
        print(f"{len({task.result() for task in agents})} agents left a memory each")
        async with asyncio.TaskGroup() as group:
            for task in agents:
                group.create_task(store.delete(task.result()))
        print("and took it back")


if __name__ == "__main__":
    if "MEMORAM_MEMORY_KEY" not in os.environ:
        sys.exit("set MEMORAM_MEMORY_KEY to the memory key of a user; the dashboard shows it")
    try:
        asyncio.run(main(os.environ["MEMORAM_MEMORY_KEY"]))
    except* MemoramError as group:
        sys.exit("\n".join(str(error) for error in group.exceptions))
