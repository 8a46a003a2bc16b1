"""What revoking ends: all of it, at once, and nothing of anybody else."""

# What the pages do has no public way in Python.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from memoram_local import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from memoram_local import MemoramLocal, RegisteredApp, User
    from tests.local.conftest import Application, Memories

CALLBACK = "http://localhost:3000/callback"


def code_for(local: MemoramLocal, app: RegisteredApp, user: User) -> str:
    return local.authorize(user_id=user.id, client_id=app.client_id, redirect_uri=CALLBACK)


def token_answer(http: httpx.Client, app: RegisteredApp, **form: str) -> httpx.Response:
    return http.post("/oauth/token", data=form, auth=(app.client_id, app.client_secret))


def exchanged(http: httpx.Client, app: RegisteredApp, code: str) -> httpx.Response:
    return token_answer(http, app, grant_type="authorization_code", code=code, redirect_uri=CALLBACK)


def refreshed(http: httpx.Client, app: RegisteredApp, refresh_token: str) -> httpx.Response:
    return token_answer(http, app, grant_type="refresh_token", refresh_token=refresh_token)


def revoke_key(local: MemoramLocal, app: RegisteredApp) -> None:
    services = local._services  # noqa: SLF001 - what the portal's page does
    (key,) = local._read(lambda connection: services.api_keys.of_app(connection, app.id))  # noqa: SLF001
    local._write(  # noqa: SLF001
        lambda connection: services.api_keys.revoke(connection, app_id=app.id, key_id=key.id)
    )


# --- an application's access to a user ---------------------------------------------------------


def test_revoking_one_request_ends_what_another_one_had_granted(
    local: MemoramLocal, memories: Memories
) -> None:
    blob_id = memories.create()
    again = memories.application.ask(memories.user.memory_key)
    local.approve(again)

    local.revoke(memories.request_id)

    assert memories.get(blob_id).status_code == 403
    assert memories.http.get(f"/access-requests/{again}").json()["status"] == "revoked"
    assert memories.http.get(f"/access-requests/{again}/credentials").status_code == 403


def test_revoking_leaves_other_users_other_applications_and_open_requests_alone(
    local: MemoramLocal,
    memories: Memories,
    stranger: User,
    application_of: Callable[[RegisteredApp], Application],
) -> None:
    open_request = memories.application.ask(memories.user.memory_key)
    of_stranger = memories.application.ask(stranger.memory_key)
    other = application_of(local.register_app(name="Diary"))
    of_other = other.ask(memories.user.memory_key)
    for request_id in (of_stranger, of_other):
        local.approve(request_id)

    local.revoke(memories.request_id)

    status = {request.id: request.status for request in local.access_requests()}
    assert status == {
        memories.request_id: "revoked",
        open_request: "pending",
        of_stranger: "approved",
        of_other: "approved",
    }


def test_revoking_ends_the_sign_in_with_its_refresh_token(
    local: MemoramLocal, memories: Memories, app: RegisteredApp, http: httpx.Client
) -> None:
    refresh_token = exchanged(http, app, code_for(local, app, memories.user)).json()["refresh_token"]

    local.revoke(memories.request_id)

    assert refreshed(http, app, refresh_token).json()["error"] == "invalid_grant"


# --- a consent ---------------------------------------------------------------------------------


def test_undoing_a_consent_ends_its_refresh_tokens_and_the_code_under_way(
    local: MemoramLocal, app: RegisteredApp, user: User, http: httpx.Client
) -> None:
    first = exchanged(http, app, code_for(local, app, user)).json()["refresh_token"]
    second = refreshed(http, app, first).json()["refresh_token"]
    under_way = code_for(local, app, user)

    assert local.undo_consent(user_id=user.id, app_id=app.id) == 2

    for refresh_token in (first, second):
        assert refreshed(http, app, refresh_token).json()["error"] == "invalid_grant"
    assert exchanged(http, app, under_way).json()["error"] == "invalid_grant"
    assert local.undo_consent(user_id=user.id, app_id=app.id) == 0


def test_undoing_a_consent_leaves_those_of_others_alone(
    local: MemoramLocal, app: RegisteredApp, user: User, stranger: User, http: httpx.Client
) -> None:
    theirs = exchanged(http, app, code_for(local, app, stranger)).json()["refresh_token"]
    other = local.register_app(name="Diary", redirect_uris=[CALLBACK])
    others = exchanged(http, other, code_for(local, other, user)).json()["refresh_token"]

    local.undo_consent(user_id=user.id, app_id=app.id)

    assert refreshed(http, app, theirs).status_code == 200
    assert refreshed(http, other, others).status_code == 200


# --- an API key --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/access-requests"),
        ("POST", "/access-requests"),
        ("GET", "/access-requests/{request}"),
        ("GET", "/access-requests/{request}/credentials"),
        ("GET", "/memory-blobs?user_id={user}"),
        ("POST", "/memory-blobs"),
        ("GET", "/memory-blobs/{blob}?user_id={user}"),
        ("PATCH", "/memory-blobs/{blob}"),
        ("DELETE", "/memory-blobs/{blob}?user_id={user}"),
        ("GET", "/tags?user_id={user}"),
        ("GET", "/tags/tag_x?user_id={user}"),
    ],
)
@pytest.mark.parametrize("end", ["revoke the key", "delete the application"])
def test_a_token_is_worth_nothing_once_its_key_is_gone(
    end: str, method: str, path: str, local: MemoramLocal, memories: Memories, app: RegisteredApp
) -> None:
    body = {"user_id": memories.user.id, "memoryKey": memories.user.memory_key, "content": "x", "reason": "x"}
    names = {"request": memories.request_id, "user": memories.user.id, "blob": memories.create()}
    if end == "revoke the key":
        revoke_key(local, app)
    else:
        local.delete_app(app.id)

    answer = memories.http.request(
        method, path.format(**names), json=body if method in {"POST", "PATCH"} else None
    )

    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "invalid_token"


def test_tokens_of_another_key_of_the_application_live_on(
    local: MemoramLocal, memories: Memories, app: RegisteredApp, http: httpx.Client
) -> None:
    services = local._services  # noqa: SLF001 - what the portal's page does
    another = local._write(  # noqa: SLF001
        lambda connection: services.api_keys.issue(connection, app_id=app.id)
    )
    token = http.post("/api/v1/auth/token", json={"api_key": another}).json()["token"]
    keys = local._read(lambda connection: services.api_keys.of_app(connection, app.id))  # noqa: SLF001
    (first,) = [key for key in keys if app.api_key.startswith(key.prefix)]

    local._write(  # noqa: SLF001
        lambda connection: services.api_keys.revoke(connection, app_id=app.id, key_id=first.id)
    )

    headers = {"authorization": f"Bearer {token}"}
    assert http.get("/api/v1/access-requests", headers=headers).status_code == 200
    assert memories.http.get("/access-requests").status_code == 401


def test_whoever_waits_with_a_token_of_a_revoked_key_is_told_at_once(
    local: MemoramLocal, application: Application, user: User, app: RegisteredApp
) -> None:
    request_id = application.ask(user.memory_key)
    answers: list[int] = []

    def wait() -> None:
        answer = application.http.get(
            f"/access-requests/{request_id}", headers={"prefer": "wait=25"}, timeout=30
        )
        answers.append(answer.status_code)

    waiting = threading.Thread(target=wait)
    waiting.start()
    while not local._services.changes._watches:  # noqa: SLF001 - until it waits
        assert waiting.is_alive()
    revoke_key(local, app)
    waiting.join(10)

    assert answers == [401]


# --- who has access, and why -------------------------------------------------------------------


def test_applications_are_told_apart_by_what_they_may(
    local: MemoramLocal,
    app: RegisteredApp,
    user: User,
    stranger: User,
    http: httpx.Client,
    application_of: Callable[[RegisteredApp], Application],
) -> None:
    names = ("Has", "Asks", "Had", "Nobody's")
    has, asks, had, nobodys = (application_of(local.register_app(name=name)) for name in names)
    approved = has.ask(user.memory_key, "To plan")
    local.approve(approved)
    asks.ask(user.memory_key)
    gone = had.ask(user.memory_key)
    local.approve(gone)
    local.revoke(gone)
    nobodys.ask(stranger.memory_key)
    exchanged(http, app, code_for(local, app, user))

    found = local.applications(user.id)

    assert [(each.name, each.standing) for each in found] == [
        ("Has", "has access"),
        ("Asks", "asks"),
        ("Trip Planner", "signed in"),
        ("Had", "had access"),
    ]
    assert [request.reason for request in found[0].approved] == ["To plan"]
    assert len(found[2].consents) == 1


def test_a_consent_that_was_undone_is_one_that_was(
    local: MemoramLocal, app: RegisteredApp, user: User, http: httpx.Client
) -> None:
    exchanged(http, app, code_for(local, app, user))

    local.undo_consent(user_id=user.id, app_id=app.id)

    (found,) = local.applications(user.id)
    assert (found.standing, found.consents) == ("had access", ())


# --- deleting ----------------------------------------------------------------------------------


def test_a_deleted_account_leaves_nothing_and_nobody_behind(
    local: MemoramLocal, memories: Memories, stranger: User, http: httpx.Client, app: RegisteredApp
) -> None:
    refresh_token = exchanged(http, app, code_for(local, app, memories.user)).json()["refresh_token"]
    memories.create(title="A title that is gone", tags=["travel"])

    local.delete_user(memories.user.id)

    assert memories.http.get("/access-requests").json()["items"] == []
    assert memories.http.get("/memory-blobs", params={"user_id": memories.user.id}).status_code == 403
    assert refreshed(http, app, refresh_token).json()["error"] == "invalid_grant"
    assert local.applications(stranger.id) == []
    assert b"A title that is gone" not in local.snapshot().store
    with pytest.raises(NotFoundError):
        local.delete_user(memories.user.id)


def test_what_a_deleted_application_wrote_stays_and_is_not_said_to_be_the_users_doing(
    local: MemoramLocal, memories: Memories, app: RegisteredApp
) -> None:
    blob_id = memories.create()
    services = local._services  # noqa: SLF001 - what the dashboard's page reads
    services.activity.write_now()

    local.delete_app(app.id)

    entries, _ = local._read(  # noqa: SLF001
        lambda connection: services.access_log.newest(connection, memories.user.id, limit=10)
    )
    assert {entry.app_name for entry in entries} == {"A deleted application"}
    assert any(entry.blob_id == blob_id and entry.exists for entry in entries)
    with pytest.raises(NotFoundError):
        local.delete_app(app.id)
