"""Keys: which work, what for, and how those that do not are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from memoram_local import MemoramLocal, NotFoundError, RegistrationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import httpx

    from memoram_local import Clock
    from tests.local.memory_api.conftest import Caller

ROUTES = [
    ("GET", "/account", None),
    ("GET", "/account/api-keys", "admin"),
    ("POST", "/account/api-keys", "admin"),
    ("DELETE", "/account/api-keys/key_1", "admin"),
    ("GET", "/memories", "read"),
    ("POST", "/memories", "write"),
    ("DELETE", "/memories?confirm=true", "delete"),
    ("GET", "/memories/mem_1", "read"),
    ("PUT", "/memories/mem_1", "write"),
    ("DELETE", "/memories/mem_1", "delete"),
    ("POST", "/query", "read"),
    ("POST", "/query/answer", "read"),
    ("POST", "/query/extract", "write"),
    ("GET", "/usage", "read"),
    ("GET", "/usage/history", "read"),
    ("GET", "/usage/projection", "read"),
]
BODIES = {"/memories": {"text": "a"}, "/query": {"context": "a"}, "/query/answer": {"context": "a"}} | {
    "/query/extract": {"content": "a"}
}

every_route = pytest.mark.parametrize(("method", "path", "scope"), ROUTES)


def sent(http: httpx.Client, method: str, path: str) -> httpx.Response:
    return http.request(method, path, json=BODIES.get(path, {}) if method in {"POST", "PUT"} else None)


@every_route
def test_every_route_needs_a_key(nobody: httpx.Client, method: str, path: str, scope: str | None) -> None:
    answer = sent(nobody, method, path)

    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "MISSING_API_KEY")
    assert answer.headers["www-authenticate"] == "Bearer"


@every_route
@pytest.mark.parametrize("own", ["read", "write", "delete", "admin"])
def test_every_route_needs_its_scope(
    local: MemoramLocal, caller: Caller, caller_with: Any, method: str, path: str, scope: str | None, own: Any
) -> None:
    limited = caller_with(local.memory_api.issue_key(caller.issued.org_id, scopes=[own]))

    answer = sent(limited.http, method, path)

    if scope in {None, own} or own == "admin":
        assert answer.status_code in {200, 201, 404}
    else:
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (403, "INSUFFICIENT_PERMISSIONS")
        assert error["details"] == {"required_scope": scope, "scopes": [own]}


def test_a_key_may_come_in_a_header_of_its_own(caller: Caller, nobody: httpx.Client) -> None:
    answer = nobody.get("/account", headers={"x-api-key": caller.issued.key})

    assert answer.json()["data"]["org_id"] == caller.issued.org_id


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("mem_" + "0" * 48, "INVALID_API_KEY_FORMAT"),
        ("mem_live_", "INVALID_API_KEY_FORMAT"),
        ("sk_live_00000000", "INVALID_API_KEY_FORMAT"),
        ("mem_live_" + "0" * 40, "INVALID_API_KEY"),
        ("mem_test_" + "0" * 40, "INVALID_API_KEY"),
    ],
)
def test_a_key_that_is_none_is_refused(nobody: httpx.Client, key: str, code: str) -> None:
    answer = nobody.get("/account", headers={"authorization": f"Bearer {key}"})

    assert (answer.status_code, answer.json()["error"]["code"]) == (401, code)


def test_a_key_expires(local: MemoramLocal, caller: Caller, caller_with: Any, clock: Clock) -> None:
    short = caller_with(local.memory_api.issue_key(caller.issued.org_id, scopes=["read"], expires_in_days=1))
    clock.advance(86_399)
    assert short.data("GET", "/account")

    clock.advance(2)

    assert short.refusal("GET", "/account") == (401, "API_KEY_EXPIRED")


def test_a_key_can_be_disabled_and_enabled(local: MemoramLocal, caller: Caller) -> None:
    local.memory_api.set_key_active(caller.issued.id, active=False)
    assert caller.refusal("GET", "/account") == (401, "API_KEY_DISABLED")

    local.memory_api.set_key_active(caller.issued.id, active=True)
    assert caller.data("GET", "/account")


def test_so_can_an_organization(local: MemoramLocal, caller: Caller) -> None:
    local.memory_api.set_organization_active(caller.issued.org_id, active=False)
    assert caller.refusal("GET", "/account") == (403, "ORGANIZATION_DISABLED")

    local.memory_api.set_organization_active(caller.issued.org_id, active=True)
    assert caller.data("GET", "/account")["is_active"] is True


def test_a_new_key_is_what_was_asked_for(caller: Caller) -> None:
    asked = {"name": "Reader", "environment": "test", "scopes": ["write", "read"], "expires_in_days": 30}

    made = caller.data("POST", "/account/api-keys", json=asked)

    assert made["key"].startswith("mem_test_")
    assert (made["name"], made["scopes"]) == ("Reader", ["read", "write"])
    assert made["expires_at"] == "2030-06-16T12:00:00.250000Z"


def test_a_new_key_has_the_contracts_defaults(caller: Caller) -> None:
    made = caller.data("POST", "/account/api-keys", json={})

    assert made["key"].startswith("mem_live_")
    assert (made["name"], made["scopes"], made["expires_at"]) == ("Default Key", ["read", "write"], None)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"name": 1}, ["name"]),
        ({"name": " "}, ["name"]),
        ({"environment": "production"}, ["environment"]),
        ({"scopes": []}, ["scopes"]),
        ({"scopes": ["read", "fly"]}, ["scopes"]),
        ({"scopes": "read"}, ["scopes"]),
        ({"expires_in_days": 0}, ["expires_in_days"]),
        ({"expires_in_days": True}, ["expires_in_days"]),
        ({"name": "", "scopes": [], "environment": 1}, ["name", "environment", "scopes"]),
    ],
)
def test_every_wrong_field_is_named(caller: Caller, body: dict[str, Any], fields: list[str]) -> None:
    answer = caller.http.post("/account/api-keys", json=body)

    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "VALIDATION_ERROR")
    assert [each["field"] for each in error["details"]["errors"]] == fields
    assert error["details"]["field"] == fields[0]


def test_the_list_shows_no_key_and_no_expiry(caller: Caller) -> None:
    made = caller.data("POST", "/account/api-keys", json={"name": "Second"})

    first, second = caller.data("GET", "/account/api-keys")

    assert (first["id"], second["id"]) == (caller.issued.id, made["id"])
    assert made["key"].startswith(second["key_prefix"])
    assert set(second) == {
        *("id", "name", "key_prefix", "environment", "scopes", "is_active", "created_at", "last_used_at")
    }
    assert second["last_used_at"] is None
    assert first["last_used_at"] is not None


def test_a_revoked_key_is_good_for_nothing_and_stays_in_the_list(caller: Caller, caller_with: Any) -> None:
    made = caller.data("POST", "/account/api-keys", json={})
    caller.data("DELETE", f"/account/api-keys/{made['id']}")

    statuses = {each["id"]: each["is_active"] for each in caller.data("GET", "/account/api-keys")}
    assert statuses == {caller.issued.id: True, made["id"]: False}
    caller.http.headers["authorization"] = f"Bearer {made['key']}"
    assert caller.refusal("GET", "/account") == (401, "API_KEY_DISABLED")


def test_another_organizations_keys_are_not_there(local: MemoramLocal, caller: Caller) -> None:
    other = local.memory_api.sign_up(name="Other", email="bob@example.test")

    assert caller.refusal("DELETE", f"/account/api-keys/{other.id}") == (404, "API_KEY_NOT_FOUND")
    assert [each["id"] for each in caller.data("GET", "/account/api-keys")] == [caller.issued.id]


def test_signing_up_gives_a_key_for_everything(nobody: httpx.Client) -> None:
    answer = nobody.post("/signup", json={"name": "Planner", "email": "ada@example.test"})

    data = answer.json()["data"]
    assert answer.status_code == 201
    nobody.headers["authorization"] = f"Bearer {data['key']}"
    account = nobody.get("/account").json()["data"]
    assert (account["name"], account["email"], account["plan"]["id"]) == (
        "Planner",
        "ada@example.test",
        "free",
    )
    assert nobody.get("/account/api-keys").json()["data"][0]["scopes"] == ["read", "write", "delete", "admin"]


@pytest.mark.parametrize(
    "body",
    [{}, {"name": "a"}, {"name": "a", "email": "nobody"}, {"name": "", "email": "a@b.c"}, [], "text", None],
)
def test_signing_up_needs_a_name_and_an_address(nobody: httpx.Client, body: object) -> None:
    answer = nobody.post("/signup", json=body)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")


def test_no_key_is_kept_as_it_is(tmp_path: Path) -> None:
    with MemoramLocal(data=tmp_path, password_profile="fast") as local:
        issued = local.memory_api.sign_up()

    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert issued.org_id.encode() in stored
    assert issued.key.encode() not in stored
    assert issued.key not in repr(issued)


def test_a_seeded_platform_draws_the_same_keys_again() -> None:
    def first_key() -> str:
        with MemoramLocal(password_profile="fast", seed=1) as local:
            return local.memory_api.sign_up().key

    assert first_key() == first_key()


def test_what_cannot_be_issued_is_refused(local: MemoramLocal, caller: Caller) -> None:
    refused: list[Callable[[], object]] = [
        lambda: local.memory_api.sign_up(name=" "),
        lambda: local.memory_api.issue_key(caller.issued.org_id, scopes=[]),
        lambda: local.memory_api.issue_key(caller.issued.org_id, scopes=["fly"]),  # type: ignore[list-item]
        lambda: local.memory_api.sign_up(environment="staging"),  # type: ignore[arg-type]
    ]
    for issue in refused:
        with pytest.raises(RegistrationError):
            issue()
    with pytest.raises(NotFoundError):
        local.memory_api.issue_key("org_1", scopes=["read"])
    with pytest.raises(NotFoundError):
        local.memory_api.set_key_active("key_1", active=True)
    with pytest.raises(NotFoundError):
        local.memory_api.set_organization_active("org_1", active=True)
