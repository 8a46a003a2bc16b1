"""The quickstart with `memoram_sync`, where one call, `connect`, does the last three steps."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from memoram_async import MemoramError, NotFoundError
from memoram_local.demo.compare import Stocktaking, rewritten
from memoram_local.demo.people import status_of
from memoram_local.demo.report import progress
from memoram_local.demo.stage import REASON, REWRITTEN, REWRITTEN_TAG, by_id
from memoram_sync import Memoram

if TYPE_CHECKING:
    from memoram_local.demo.memories import FileMemory
    from memoram_local.demo.stage import Stage
    from memoram_sync import MemoryStore

_THREADS: Final = 4


def walk(stage: Stage) -> None:
    """Go through the nine steps, and then use the memories."""
    app = stage.app
    stage.tell_api_key()
    with Memoram(app.api_key, base_url=stage.api_url, auth_url=stage.url) as memoram:
        memoram.access_requests.list().first_page()
        stage.tell_jwt(without=status_of(f"{stage.api_url}/access-requests"))

        flow = memoram.oauth.begin(
            client_id=app.client_id, client_secret=app.client_secret, redirect_uri=app.redirect_uri
        )
        stage.tell_authorization_url(flow.url)
        callback = stage.user.consent(flow.url)
        stage.tell_consent()
        tokens = flow.complete(callback)
        stage.tell_code()
        memory_key = stage.tell_tokens(tokens)

        with stage.approval():
            store = memoram.connect(
                memory_key, reason=REASON, timeout=stage.patience, on_status=stage.tell_progress
            )
        with store:
            stage.tell_credentials(store.key_version)
            _use(memoram, store, stage)


def _use(memoram: Memoram, store: MemoryStore, stage: Stage) -> None:
    began = time.monotonic()
    stored = _store_all(store, stage)
    stage.tell_stored(len(stored), seconds=time.monotonic() - began)
    if not stored:
        return

    first_id = min(stored, key=lambda memory_id: stored[memory_id].line)
    blob = memoram.memory_blobs.get(first_id, user_id=store.user_id)
    stage.tell_blob(stored[first_id], stored=blob.content, read=store.get(first_id))

    began = time.monotonic()
    stocktaking = Stocktaking(stored)
    with progress("Listing", len(stored)) as done:
        for memory in store.list(page_size=stage.page_size):
            stocktaking.saw(memory)
            done()
    stage.tell_list(stocktaking, seconds=time.monotonic() - began)

    _search(store, stage, stored)

    expected = rewritten(stored[first_id], content=REWRITTEN, tag=REWRITTEN_TAG)
    store.update(first_id, content=expected.content, tags=expected.tags)
    stage.tell_update(expected, store.get(first_id))
    stored[first_id] = expected

    last_id = max(stored, key=lambda memory_id: stored[memory_id].line)
    store.delete(last_id)
    stage.tell_delete(stored.pop(last_id), gone=not _exists(store, last_id))

    names = [tag.name for tag in store.list_tags()]
    stage.tell_tags(names, kept=stored.values())


def _store_all(store: MemoryStore, stage: Stage) -> dict[str, FileMemory]:
    """Store all memories, from several threads; the lines by the ids that they got."""

    def create(memory: FileMemory) -> str | MemoramError:
        try:
            return store.create(memory.content, **memory.description).id
        except MemoramError as error:
            return error

    stored: dict[str, FileMemory] = {}
    pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="memoram-demo")
    try:
        with progress("Storing", len(stage.memories)) as done:
            for memory, outcome in zip(stage.memories, pool.map(create, stage.memories), strict=True):
                if isinstance(outcome, str):
                    stored[outcome] = memory
                elif stage.failed(memory, outcome):
                    break
                done()
    finally:
        # Threads cannot be cancelled: what has begun ends, and the rest does not begin.
        pool.shutdown(cancel_futures=True)
    return stored


def _search(store: MemoryStore, stage: Stage, stored: dict[str, FileMemory]) -> None:
    probes, size = stage.probes, stage.page_size
    if probes.title_phrase is None:
        stage.tell_no_search()
    else:
        found = [memory.id for memory in store.list(search=probes.title_phrase, page_size=size)]
        stage.tell_title_search(probes.title_phrase, by_id(stored, found))
    if probes.content_phrase is not None:
        found = [memory.id for memory in store.list(search=probes.content_phrase, page_size=size)]
        stage.tell_content_search(probes.content_phrase, by_id(stored, found))
    if probes.tag is not None:
        found = [memory.id for memory in store.list(tags=[probes.tag], page_size=size)]
        stage.tell_tag_filter(probes.tag, by_id(stored, found))


def _exists(store: MemoryStore, memory_id: str) -> bool:
    try:
        store.get(memory_id)
    except NotFoundError:
        return False
    return True
