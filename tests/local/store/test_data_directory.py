"""The data directory: one platform at a time, deleted means deleted, and no traceback when the disk fails."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

import pytest

from memoram_local import DataDirectoryError, MemoramLocal, StorageFullError
from memoram_local.errors import StorageError

if TYPE_CHECKING:
    import logging
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

    from tests.local.conftest import Memories

SECRET = "Prefers window seats, on the left"


@pytest.fixture
def local(tmp_path: Path) -> Iterator[MemoramLocal]:
    with MemoramLocal(data=tmp_path / "data", password_profile="fast") as platform:
        yield platform


def octets_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def gone_from(folder: Path, text: str) -> bool:
    """Whether it is gone by and by: the log is emptied a moment later, and when nobody reads it."""
    until = time.monotonic() + 10
    while text.encode() in octets_in(folder):
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def fill_disk(local: MemoramLocal) -> None:
    """Let SQLite find no more room than it takes up now."""
    database = local._database  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001

    def limit(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count={pages}")

    database._writer.run_bare(limit)  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001


# --- one at a time -----------------------------------------------------------------------------


def test_a_second_platform_on_it_is_refused_by_name(local: MemoramLocal, tmp_path: Path) -> None:
    with pytest.raises(DataDirectoryError) as raised:
        MemoramLocal(data=tmp_path / "data", password_profile="fast")

    assert "is in use by another platform (process " in str(raised.value)
    assert str(tmp_path / "data") in str(raised.value)
    local.create_user(email="ada@example.test", password="correct horse")


def test_it_is_free_again_once_its_platform_is_closed(local: MemoramLocal, tmp_path: Path) -> None:
    local.close()

    with MemoramLocal(data=tmp_path / "data", password_profile="fast") as again:
        assert not again.has_apps


@pytest.mark.parametrize("name", ["", "  "])
def test_a_directory_without_a_name_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(DataDirectoryError, match="has no name"):
        MemoramLocal(data=name)
    assert list(tmp_path.iterdir()) == []


def test_the_current_directory_may_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    with MemoramLocal(data=".", password_profile="fast"):
        assert (tmp_path / "memoram.sqlite3").is_file()


# --- a start that failed -----------------------------------------------------------------------


def test_a_start_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))

    def fail(**_parts: object) -> None:
        raise LookupError

    monkeypatch.setattr("memoram_local.platform.assemble", fail)

    with pytest.raises(LookupError):
        MemoramLocal(data=tmp_path / "deep" / "data", password_profile="fast")
    assert list(tmp_path.iterdir()) == []


def test_a_start_that_fails_leaves_alone_what_was_there(
    local: MemoramLocal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local.register_app(name="Diary")
    local.close()
    with monkeypatch.context() as broken:
        broken.setattr("memoram_local.platform.assemble", None)
        with pytest.raises(TypeError):
            MemoramLocal(data=tmp_path / "data", password_profile="fast")

    with MemoramLocal(data=tmp_path / "data", password_profile="fast") as again:
        assert again.has_apps


# --- deleted is deleted ------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["delete the memory", "change the memory", "delete the user", "reset"])
def test_what_is_deleted_leaves_the_file_and_the_log(
    how: str, local: MemoramLocal, memories: Memories, tmp_path: Path
) -> None:
    # Long enough for pages of its own, too.
    blob_id = memories.create(content=SECRET * 300, source=SECRET)
    other = memories.create(content="stays" * 10)
    assert SECRET.encode() in octets_in(tmp_path / "data")

    match how:
        case "delete the memory":
            assert memories.delete(blob_id).status_code == 200
        case "change the memory":
            assert memories.patch(blob_id, content="another", source=None).status_code == 200
        case "delete the user":
            local.delete_user(memories.user.id)
        case _:
            local.reset()

    assert gone_from(tmp_path / "data", SECRET)
    if how in {"delete the memory", "change the memory"}:
        assert memories.get(other).json()["content"] == "stays" * 10


# --- a disk that is full, a folder that is gone ------------------------------------------------


def test_a_full_disk_is_met_with_507_and_what_is_stored_can_be_read(
    local: MemoramLocal, memories: Memories, caplog: pytest.LogCaptureFixture
) -> None:
    blob_id = memories.create()
    fill_disk(local)

    answer = memories.post(content="x" * 200_000)

    assert answer.status_code == 507
    assert answer.json()["error"]["code"] == "insufficient_storage"
    assert memories.get(blob_id).status_code == 200
    assert tracebacks(caplog) == []


def test_a_page_says_that_the_disk_is_full(local: MemoramLocal, http: httpx.Client) -> None:
    fill_disk(local)
    answers = [http.post("/signup", data=form_of(number)) for number in range(60)]

    refused = next(answer for answer in answers if answer.status_code != 303)
    assert refused.status_code == 507
    assert "the disk is full" in refused.text


def form_of(number: int) -> dict[str, str]:
    return {"email": f"ada{number}@example.test", "password": "correct horse"}


def test_on_a_full_disk_python_is_told_and_close_works(local: MemoramLocal, memories: Memories) -> None:
    fill_disk(local)
    memories.page()

    with pytest.raises(StorageFullError, match="make room"):
        local.register_app(name="Diary", redirect_uris=["http://localhost/" + "x" * 100_000])

    local.close()


def test_a_folder_that_vanished_is_met_without_a_traceback_and_close_works(
    local: MemoramLocal, memories: Memories, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.rmtree(tmp_path / "data")

    refused = memories.post()

    # Not stored where nobody would find it again, which an open file would take without a word.
    assert refused.status_code == 503
    assert "was moved or deleted" in refused.json()["error"]["message"]
    assert memories.http.get("/access-requests").status_code in {200, 503}
    with pytest.raises(StorageError, match="start it where the data is"):
        local.register_app(name="Diary")
    local.close()
    assert tracebacks(caplog) == []


def test_a_folder_that_was_moved_takes_nothing_until_it_is_back(memories: Memories, tmp_path: Path) -> None:
    (tmp_path / "data").rename(tmp_path / "elsewhere")
    refused = memories.post()
    (tmp_path / "elsewhere").rename(tmp_path / "data")

    assert refused.status_code == 503
    assert memories.post().status_code == 201
    assert len(memories.ids()) == 1


def tracebacks(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.exc_info]
