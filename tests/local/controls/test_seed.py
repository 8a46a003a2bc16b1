"""Seeds: the same platform every time, and one clear line for what cannot be used."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from joserfc import jwe
from joserfc.jwk import OctKey

from memoram_local import MemoramLocal
from memoram_local.testing import SeedError
from memoram_sync import MemoryAPI
from memoram_sync.memory_api import DisabledAPIKeyError, InsufficientScopeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memoram_local.testing import Seeded

SEED: dict[str, Any] = {
    "seed": 7,
    "users": [
        {"email": "Ada@example.com", "password": "correct horse"},
        {"email": "bob@example.com", "password": "correct horse"},
    ],
    "apps": [{"name": "Planner", "redirect_uris": ["http://localhost:8000/back"]}],
    "access_requests": [
        {"app": "Planner", "user": "ada@example.com", "reason": "Plans journeys", "status": "approved"},
        {"app": "Planner", "user": "bob@example.com", "status": "revoked"},
        {"app": "Planner", "user": "bob@example.com", "status": "rejected"},
        {"app": "Planner", "user": "bob@example.com"},
    ],
    "memories": [
        {"user": "ada@example.com", "content": "Prefers window seats", "tags": ["travel"], "importance": 1},
        {"user": "ada@example.com", "stored": "as it is", "title": "Old", "tags": ["travel", "old"]},
    ],
}

FILE = """
seed: 7
users:
  - email: ada@example.com
    password: correct horse
apps:
  - name: Planner
"""


ORGANIZATIONS = """
users:
  - email: ada@example.com
    password: correct horse
organizations:
  - name: Planner Inc
    owner: ada@example.com
    keys:
      - name: CI
        environment: test
        scopes: [read, write]
        expires_in_days: 30
      - name: Old
        scopes: [admin]
        active: false
    memories:
      - text: Prefers window seats
        environment: test
        memory_id: seat:1
        metadata: {source: chat}
      - text: Allergic to peanuts
  - name: Diary
"""


@pytest.fixture
def local() -> Iterator[MemoramLocal]:
    with MemoramLocal(password_profile="fast") as platform:
        yield platform


def grown(seed: Any) -> Seeded:
    with MemoramLocal(password_profile="fast") as platform:
        return platform.load_seed(seed)


def identities(seeded: Seeded) -> list[object]:
    return [
        *seeded.apps.values(),
        *seeded.users.values(),
        *(request.id for request in seeded.access_requests),
        *((memory.id, memory.content, memory.tags) for memory in seeded.memories),
    ]


def test_a_seed_names_everything_that_a_platform_holds(local: MemoramLocal) -> None:
    seeded = local.load_seed(SEED)

    assert list(seeded.apps) == ["Planner"]
    assert [user.email for user in seeded.users.values()] == ["ada@example.com", "bob@example.com"]
    assert [request.status for request in seeded.access_requests] == [
        "approved",
        "revoked",
        "rejected",
        "pending",
    ]
    assert {request.id for request in local.access_requests()} == {
        request.id for request in seeded.access_requests
    }
    assert [name for name, _ in seeded.memories[1].tags] == ["travel", "old"]
    assert seeded.memories[0].tags[0] == seeded.memories[1].tags[0]


def test_content_is_encrypted_for_its_user_and_what_is_stored_stays_as_it_is(local: MemoramLocal) -> None:
    seeded = local.load_seed(SEED)
    key = OctKey.import_key(bytes.fromhex(seeded.users["Ada@example.com"].encryption_key))

    opened = jwe.decrypt_compact(seeded.memories[0].content, key, algorithms=["dir", "A256GCM"])

    assert opened.plaintext == b"Prefers window seats"
    assert opened.headers()["kid"] == "1"
    assert seeded.memories[1].content == "as it is"


def test_organizations_of_the_second_service_can_be_used_at_once(local: MemoramLocal, tmp_path: Path) -> None:
    (tmp_path / "seed.yaml").write_text(ORGANIZATIONS)
    seeded = local.load_seed(tmp_path / "seed.yaml")
    planner, diary = seeded.organizations["Planner Inc"], seeded.organizations["Diary"]

    with local.serve() as server:
        with MemoryAPI(planner.keys["CI"].key, base_url=server.memory_api_url) as client:
            assert client.environment == "test"
            (memory,) = client.memories.list()
            assert (memory.id, memory.text, memory.metadata) == (
                "seat:1",
                "Prefers window seats",
                {"source": "chat"},
            )
            assert [match.id for match in client.query("window seats").memories] == ["seat:1"]
            with pytest.raises(InsufficientScopeError, match="delete"):
                client.memories.delete("seat:1")
        with (
            MemoryAPI(planner.keys["Old"].key, base_url=server.memory_api_url) as client,
            pytest.raises(DisabledAPIKeyError),
        ):
            client.account.get()
        with MemoryAPI(diary.keys["Default Key"].key, base_url=server.memory_api_url) as client:
            assert client.account.get().name == "Diary"
            assert list(client.memories.list()) == []
    assert [memory.text for memory in planner.memories] == ["Prefers window seats", "Allergic to peanuts"]


def test_an_organizations_ids_and_keys_follow_from_the_seed(tmp_path: Path) -> None:
    (tmp_path / "seed.yaml").write_text(ORGANIZATIONS)
    (tmp_path / "more.yaml").write_text(ORGANIZATIONS + "  - name: More\n")
    first = grown(tmp_path / "seed.yaml").organizations

    again, more = grown(tmp_path / "seed.yaml").organizations, grown(tmp_path / "more.yaml").organizations

    for name, organization in first.items():
        assert again[name].id == more[name].id == organization.id
        assert again[name].keys == more[name].keys == organization.keys
    assert more["More"].id not in {organization.id for organization in first.values()}


def test_the_same_seed_makes_the_same_ids_and_keys_and_another_one_others() -> None:
    first = identities(grown(SEED))

    assert identities(grown(SEED)) == first
    assert not set(map(str, identities(grown({**SEED, "seed": 8})))) & set(map(str, first))


def test_what_is_added_to_a_seed_changes_nothing_of_the_rest() -> None:
    more = {
        **SEED,
        "apps": [{"name": "Another"}, *SEED["apps"]],
        "users": [{"email": "cy@example.com", "password": "correct horse"}, *SEED["users"]],
    }
    before, after = grown(SEED), grown(more)

    assert after.apps["Planner"] == before.apps["Planner"]
    assert after.users["bob@example.com"] == before.users["bob@example.com"]
    assert [request.id for request in after.access_requests] == [
        request.id for request in before.access_requests
    ]


def test_loading_it_again_changes_nothing_and_tells_the_secrets_again(local: MemoramLocal) -> None:
    first = local.load_seed(SEED)

    assert identities(local.load_seed(SEED)) == identities(first)
    assert len(local.access_requests()) == 4


def test_after_a_reset_it_grows_again(local: MemoramLocal) -> None:
    first = local.load_seed(SEED)
    local.reset()
    assert local.access_requests() == []

    assert identities(local.load_seed(SEED)) == identities(first)
    assert len(local.access_requests()) == 4


def test_a_seed_can_be_a_file(local: MemoramLocal, tmp_path: Path) -> None:
    (tmp_path / "seed.yaml").write_text(FILE)

    assert list(local.load_seed(tmp_path / "seed.yaml").apps) == ["Planner"]
    assert list(local.load_seed(str(tmp_path / "seed.yaml")).users) == ["ada@example.com"]


def test_an_empty_file_is_an_empty_seed(local: MemoramLocal, tmp_path: Path) -> None:
    (tmp_path / "seed.yaml").touch()

    assert identities(local.load_seed(tmp_path / "seed.yaml")) == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("apps: [", "seed.yaml line 1, column 8: expected the node content"),
        (
            "- 1",
            "seed.yaml: must be a mapping of seed, users, apps, access_requests, memories, organizations",
        ),
        ("organizations: [{}]", "organizations[0]: name is missing"),
        ("organizations: [{name: P}, {name: P}]", "organizations[1]: another organization is called 'P'"),
        ("organizations: [{name: P, owner: b}]", "organizations[0]: owner: the seed has no user 'b'"),
        ("organizations: [{name: P, keys: [{scopes: [all]}]}]", "keys[0]: scopes must be some of read"),
        ("organizations: [{name: P, keys: [{name: K}]}]", "keys[0]: scopes must be some of read"),
        (
            "organizations: [{name: P, keys: [{scopes: [read], environment: x}]}]",
            "environment must be one of",
        ),
        (
            "organizations: [{name: P, keys: [{scopes: [read], expires_in_days: 0}]}]",
            "expires_in_days must be",
        ),
        ("organizations: [{name: P, keys: [{scopes: [read], active: 1}]}]", "active must be true or false"),
        (
            "organizations: [{name: P, keys: [{scopes: [read]}, {scopes: [read]}]}]",
            "keys[1]: another key is called 'Default Key' already",
        ),
        ("organizations: [{name: P, memories: [{text: ' '}]}]", "memories[0]: text must have 1 to 50,000"),
        ("organizations: [{name: P, memories: [{text: a, memory_id: a/b}]}]", "memory_id must have 1 to 128"),
        ("organizations: [{name: P, memories: [{text: a, metadata: [1]}]}]", "metadata must be a mapping"),
        ("organizations: [{name: P, memories: [{text: a, metadata: {d: 2030-01-01}}]}]", "JSON can carry"),
        (
            "organizations: [{name: P, memories: [{text: a, memory_id: a}, {text: b, memory_id: a}]}]",
            "memories[1]: another memory has the memory_id 'a' already",
        ),
        ("users: 3", "seed.yaml: users must be a list"),
        ("people: []", "seed.yaml: has no use for 'people'; it takes seed, users"),
        ("seed: [1]", "seed.yaml: seed must be a number or text"),
        ("users: [{email: a@b.c}]", "seed.yaml: users[0]: password is missing"),
        ("users: [ada]", "seed.yaml: users[0]: must be a mapping of email, password"),
        ("users: [{email: a@b.c, password: 12345678}]", "users[0]: password must be text; put it in quotes"),
        ("users: [{email: a@b.c, password: short}]", "users[0]: A password needs 8 to 1024 characters."),
        ("users: [{email: here, password: '12345678'}]", "users[0]: That is not an email address."),
        ("apps: [{name: A}, {name: A}]", "apps[1]: another application is called 'A' already"),
        ("apps: [{name: A, redirect_uris: ['javascript:x']}]", "apps[0]: Redirect URIs cannot have"),
        ("access_requests: [{app: A, user: b, status: done}]", "access_requests[0]: status must be one of"),
        ("access_requests: [{app: A, user: b}]", "access_requests[0]: user: the seed has no user 'b'"),
        ("memories: [{user: b}]", "memories[0]: needs content, which is encrypted, or stored"),
        ("memories: [{user: b, content: x}]", "memories[0]: user: the seed has no user 'b'"),
        ("memories: [{user: b, content: x, importance: high}]", "memories[0]: importance must be a number"),
        ('memories: [{user: b, content: "\\ud800"}]', "memories[0]: content holds half of a surrogate pair"),
        ("\0", "seed.yaml: is not YAML"),
    ],
)
def test_a_bad_seed_is_refused_in_one_line_with_the_place(
    local: MemoramLocal, tmp_path: Path, text: str, line: str
) -> None:
    (tmp_path / "seed.yaml").write_text(text)

    with pytest.raises(SeedError) as refused:
        local.load_seed(tmp_path / "seed.yaml")

    assert line in str(refused.value)
    assert str(refused.value).startswith("seed.yaml")
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_is_named(local: MemoramLocal, tmp_path: Path) -> None:
    with pytest.raises(SeedError, match=r"nowhere\.yaml cannot be read: No such file"):
        local.load_seed(tmp_path / "nowhere.yaml")
    (tmp_path / "seed.yaml").write_bytes(b"\xff\xff")
    with pytest.raises(SeedError, match=r"not text in UTF-8"):
        local.load_seed(tmp_path / "seed.yaml")


def test_a_seed_that_fails_half_way_adds_nothing(local: MemoramLocal) -> None:
    local.create_user(email="bob@example.com", password="correct horse")

    with pytest.raises(SeedError, match=r"users\[1\]: This email address has an account already"):
        local.load_seed(SEED)

    assert not local.has_apps
    local.create_user(email="ada@example.com", password="correct horse")


def test_serving_a_seed_prints_what_it_takes_to_use_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from memoram_local import cli  # noqa: PLC0415 - for this test alone

    (tmp_path / "seed.yaml").write_text(FILE)
    expected = grown(Path(tmp_path / "seed.yaml"))
    stopped = threading.Event()
    stopped.set()
    monkeypatch.setattr("memoram_local.cli.threading", SimpleNamespace(Event=lambda: stopped))
    for _ in range(2):
        arguments = ["serve", "--port", "0", "--data", str(tmp_path), "--seed", str(tmp_path / "seed.yaml")]
        assert cli.main(arguments) == 0
        shown = capsys.readouterr().out
        assert f"export MEMORAM_API_KEY={expected.apps['Planner'].api_key}" in shown
        assert expected.users["ada@example.com"].memory_key in shown


def test_serving_a_bad_seed_ends_with_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from memoram_local import cli  # noqa: PLC0415 - for this test alone

    (tmp_path / "seed.yaml").write_text("users: 3")
    arguments = ["serve", "--port", "0", "--data", str(tmp_path), "--seed", str(tmp_path / "seed.yaml")]

    assert cli.main(arguments) == 1
    assert capsys.readouterr().err == "memoram-local: seed.yaml: users must be a list\n"
