"""The quickstart with `memoram_async`; `walk_sync` is the same with `memoram_sync`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import anyio
import anyio.to_thread

from memoram_async import AsyncMemoram, MemoramError, NotFoundError
from memoram_local.demo.compare import Stocktaking, rewritten
from memoram_local.demo.people import status_of
from memoram_local.demo.report import progress
from memoram_local.demo.stage import REASON, REWRITTEN, REWRITTEN_TAG, by_id

if TYPE_CHECKING:
    from memoram_async import AsyncMemoryStore
    from memoram_local.demo.memories import FileMemory
    from memoram_local.demo.stage import Stage

_AT_ONCE: Final = 6  # more would only queue for the client's connections


async def walk(stage: Stage) -> None:
    """Go through the nine steps, each with the operation of its own, and then use the memories."""
    app = stage.app
    stage.tell_api_key()
    async with AsyncMemoram(app.api_key, base_url=stage.api_url, auth_url=stage.url) as memoram:
        await memoram.access_requests.list().first_page()
        stage.tell_jwt(without=await anyio.to_thread.run_sync(status_of, f"{stage.api_url}/access-requests"))

        flow = memoram.oauth.begin(
            client_id=app.client_id, client_secret=app.client_secret, redirect_uri=app.redirect_uri
        )
        stage.tell_authorization_url(flow.url)
        callback = await anyio.to_thread.run_sync(stage.user.consent, flow.url)
        stage.tell_consent()
        tokens = await flow.complete(callback)
        stage.tell_code()
        memory_key = stage.tell_tokens(tokens)

        request = await memoram.access_requests.create(memory_key, reason=REASON)
        stage.tell_status(request.status)
        with stage.approval():
            approved = await memoram.access_requests.wait(request.id, timeout=stage.patience)
        stage.tell_status(approved.status)
        credentials = await memoram.access_requests.credentials(request.id)
        async with memoram.open(credentials) as store:
            stage.tell_credentials(store.key_version)
            await _use(memoram, store, stage)


async def _use(memoram: AsyncMemoram, store: AsyncMemoryStore, stage: Stage) -> None:
    began = time.monotonic()
    stored = await _store_all(store, stage)
    stage.tell_stored(len(stored), seconds=time.monotonic() - began)
    if not stored:
        return

    first_id = min(stored, key=lambda memory_id: stored[memory_id].line)
    blob = await memoram.memory_blobs.get(first_id, user_id=store.user_id)
    stage.tell_blob(stored[first_id], stored=blob.content, read=await store.get(first_id))

    began = time.monotonic()
    stocktaking = Stocktaking(stored)
    with progress("Listing", len(stored)) as done:
        async for memory in store.list(page_size=stage.page_size):
            stocktaking.saw(memory)
            done()
    stage.tell_list(stocktaking, seconds=time.monotonic() - began)

    await _search(store, stage, stored)

    expected = rewritten(stored[first_id], content=REWRITTEN, tag=REWRITTEN_TAG)
    await store.update(first_id, content=expected.content, tags=expected.tags)
    stage.tell_update(expected, await store.get(first_id))
    stored[first_id] = expected

    last_id = max(stored, key=lambda memory_id: stored[memory_id].line)
    await store.delete(last_id)
    stage.tell_delete(stored.pop(last_id), gone=not await _exists(store, last_id))

    names = [tag.name async for tag in store.list_tags()]
    stage.tell_tags(names, kept=stored.values())


async def _store_all(store: AsyncMemoryStore, stage: Stage) -> dict[str, FileMemory]:
    """Store all memories, several at once; the lines by the ids that they got."""
    stored: dict[str, FileMemory] = {}
    waiting = iter(stage.memories)

    async def work() -> None:
        for memory in waiting:
            try:
                created = await store.create(memory.content, **memory.description)
            except MemoramError as error:
                if stage.failed(memory, error):
                    group.cancel_scope.cancel()
            else:
                stored[created.id] = memory
            done()

    with progress("Storing", len(stage.memories)) as done:
        async with anyio.create_task_group() as group:
            for _ in range(_AT_ONCE):
                group.start_soon(work)
    return stored


async def _search(store: AsyncMemoryStore, stage: Stage, stored: dict[str, FileMemory]) -> None:
    probes, size = stage.probes, stage.page_size
    if probes.title_phrase is None:
        stage.tell_no_search()
    else:
        found = [memory.id async for memory in store.list(search=probes.title_phrase, page_size=size)]
        stage.tell_title_search(probes.title_phrase, by_id(stored, found))
    if probes.content_phrase is not None:
        found = [memory.id async for memory in store.list(search=probes.content_phrase, page_size=size)]
        stage.tell_content_search(probes.content_phrase, by_id(stored, found))
    if probes.tag is not None:
        found = [memory.id async for memory in store.list(tags=[probes.tag], page_size=size)]
        stage.tell_tag_filter(probes.tag, by_id(stored, found))


async def _exists(store: AsyncMemoryStore, memory_id: str) -> bool:
    try:
        await store.get(memory_id)
    except NotFoundError:
        return False
    return True
