"""What the platform holds of each memory, as its user sees it."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING

import pytest

from memoram_local.web.stored_form import StoredForm, stored_form
from tests.local.web.conftest import shown, sign_in, text_of, word_of

if TYPE_CHECKING:
    import httpx

    from memoram_local import User
    from tests.local.conftest import Memories

MEMORIES = "/dashboard/memories"
# Shaped like what applications store; nothing on the server decrypts it.
TOKEN = (
    "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIiwia2lkIjoiMyIsInR5cCI6Im1lbW9yYW0tY29udGVudCtqd2UifQ..aXY.Yw.dA"
)


def test_everything_that_is_held_is_shown(browser: httpx.Client, memories: Memories) -> None:
    blob_id = memories.create(
        content=TOKEN,
        title="Seats <b>",
        summary="Where to sit",
        tags=["travel"],
        importance=0.8,
        source="chat",
    )
    page = browser.get(f"{MEMORIES}/{blob_id}")
    text = text_of(page)

    assert "Seats &lt;b&gt;" in page.text
    for fact in (
        "Summary Where to sit",
        "Tags travel",
        "Importance 0.8",
        "Confidence Not rated",
        "Source chat",
        "Created 17 May 2030, 12:00 UTC",
        f"Id {blob_id}",
        f"Encrypted with key version 3, {len(TOKEN)} bytes",
        "JWE, dir, A256GCM, memoram-content+jwe",
        TOKEN,
    ):
        assert fact in text
    content = browser.get(f"{MEMORIES}/{blob_id}/content")
    assert content.text == TOKEN
    assert content.headers["content-type"] == "text/plain; charset=utf-8"
    assert content.headers["x-content-type-options"] == "nosniff"
    assert content.headers["cache-control"] == "no-store"


def test_a_long_content_is_shown_by_its_beginning(browser: httpx.Client, memories: Memories) -> None:
    blob_id = memories.create(content="x" * 2_000 + "END")

    assert "END" not in browser.get(f"{MEMORIES}/{blob_id}").text
    assert browser.get(f"{MEMORIES}/{blob_id}/content").text.endswith("END")


def test_content_that_is_not_encrypted_is_marked(browser: httpx.Client, memories: Memories) -> None:
    blob_id = memories.create(content="in the clear")

    for address in (MEMORIES, f"{MEMORIES}/{blob_id}"):
        assert "Not in a known encrypted form" in text_of(browser.get(address))


def test_no_page_shows_the_encryption_key(browser: httpx.Client, memories: Memories) -> None:
    blob_id = memories.create(content=TOKEN)

    for address in ("/dashboard", MEMORIES, f"{MEMORIES}/{blob_id}", "/dashboard/activity", "/portal"):
        assert memories.user.encryption_key not in browser.get(address).text


def test_pages_of_memories_miss_and_repeat_nothing(browser: httpx.Client, memories: Memories) -> None:
    blob_ids = [memories.create(title=f"No. {number}") for number in range(45)]
    seen: list[str] = []
    address: str | None = MEMORIES
    while address is not None:
        page = browser.get(address).text
        seen += re.findall(rf'<h2><a href="{MEMORIES}/(mem_\w+)">', page)
        older = re.search(rf'href="({MEMORIES}\?[^"]*before=[^"]+)">Older', page)
        address = None if older is None else older[1]

    assert seen == blob_ids[::-1]


def test_memories_of_one_tag(browser: httpx.Client, memories: Memories) -> None:
    kept = [memories.create(title=f"No. {number}", tags=["a & b"]) for number in range(25)]
    memories.create(title="Other", tags=["c"])
    first = browser.get(MEMORIES, params={"tag": "a & b"})
    older = re.search(r'href="([^"]*tag=a%20%26%20b&amp;before=[^"]+)"', first.text)

    assert "Other" not in first.text
    assert older is not None
    assert f"{MEMORIES}/{kept[0]}" in browser.get(older[1].replace("&amp;", "&")).text
    assert "There are none here." in browser.get(MEMORIES, params={"tag": "unknown"}).text


def test_a_deleted_memory_is_gone_for_everyone(browser: httpx.Client, memories: Memories) -> None:
    blob_id = memories.create(title="Seats")
    answer = browser.post(f"{MEMORIES}/{blob_id}/delete")

    assert answer.headers["location"] == MEMORIES
    assert word_of(browser, answer) == "The memory is deleted."
    assert memories.get(blob_id).status_code == 404
    assert browser.get(f"{MEMORIES}/{blob_id}").status_code == 404
    assert browser.post(f"{MEMORIES}/{blob_id}/delete").status_code == 404


@pytest.mark.parametrize(("method", "rest"), [("GET", ""), ("GET", "/content"), ("POST", "/delete")])
def test_a_memory_is_its_users_alone(
    http: httpx.Client, memories: Memories, stranger: User, method: str, rest: str
) -> None:
    blob_id = memories.create(title="Secret plans", tags=["zebra"])
    sign_in(http, stranger)

    assert "Secret plans" not in http.get(MEMORIES).text
    assert "zebra" not in http.get(MEMORIES).text
    answer = http.request(method, f"{MEMORIES}/{blob_id}{rest}")
    assert answer.status_code == 404
    assert shown(answer, "problem") == "There is no such memory. It may have been deleted."
    assert memories.get(blob_id).status_code == 200


def test_without_memories_the_page_says_what_to_do(browser: httpx.Client) -> None:
    assert "Nothing is kept of you yet." in browser.get(MEMORIES).text


def header(text: str) -> str:
    return urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "a.b.c.d.e",
        "....",
        f"{header('[]')}..a.b.c",
        f"{header('{}')}..a.b.c",
        f"{header('7')}..a.b.c",
        header('{"alg":1,"enc":2}') + "..a.b.c",
        header('{"alg":"dir","enc":"A256GCM"}') + "..a.b",
        header('{"alg":"dir","enc":"A256GCM","x":"' + "y" * 2_000 + '"}') + "..a.b.c",
        header("[" * 700) + "..a.b.c",
        "ü..a.b.c",
    ],
)
def test_what_is_no_jwe_is_not_taken_for_one(content: str) -> None:
    assert stored_form(content) is None


def test_what_a_jwe_says_of_itself() -> None:
    assert stored_form(TOKEN) == StoredForm("dir", "A256GCM", "3", "memoram-content+jwe")
    assert stored_form(header('{"alg":"dir","enc":"A128GCM","kid":7}') + "..a.b.c") == StoredForm(
        "dir", "A128GCM", None, None
    )
