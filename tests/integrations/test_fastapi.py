"""The kit for FastAPI, against a platform on a socket."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any, Final

import attrs
import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException
from fastapi.testclient import TestClient

from memoram_async import (
    AnyioRuntime,
    AsyncConnections,
    AsyncMemoram,
    AsyncMemoryStore,
    Memory,
    MemoryGrantStore,
)
from memoram_async.integrations.fastapi import PROBLEMS, MemoramKit, answer_problem
from memoram_local import MemoramLocal, User
from memoram_local.clock import Clock
from memoram_local.testing import Status

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

SITE: Final = "https://app.example"
DASHBOARD: Final = "https://dashboard.example/"
PROBLEM: Final = "application/problem+json"


async def signed_in(x_user: Annotated[str | None, Header()] = None) -> str:
    """Stands for an application's own sign-in."""
    if x_user is None:
        raise HTTPException(401)
    return x_user


def kit_of(local: MemoramLocal, server: Any, app: Any, **options: Any) -> MemoramKit:
    """A kit for an application on a platform."""

    def client() -> AsyncMemoram:
        return AsyncMemoram(
            app.api_key,
            base_url=server.api_url,
            auth_url=server.auth_url,
            client_id=app.client_id,
            client_secret=app.client_secret,
            dashboard_url=DASHBOARD,
            max_retries=0,
            runtime=AnyioRuntime(clock=local.clock),
        )

    settings: dict[str, Any] = {
        "user": signed_in,
        "url": SITE,
        "reason": "Keeps your notes",
        "client": client,
        "secret": "a secret of the application's own, of 32 bytes",
        **options,
    }
    return MemoramKit(MemoryGrantStore(), **settings)


def notes_of(kit: MemoramKit) -> FastAPI:
    """An application that keeps notes."""
    app = FastAPI()
    kit.add_to(app)
    routes = APIRouter(responses=PROBLEMS)

    async def read(store: AsyncMemoryStore) -> list[Memory]:
        return [memory async for memory in store.list()]

    async def write(store: AsyncMemoryStore, text: str) -> Memory:
        return await store.create(text)

    # What `Depends` is given is known only here, and annotations are text in this module.
    read.__annotations__["store"] = Annotated[AsyncMemoryStore, Depends(kit.store)]
    write.__annotations__["store"] = Annotated[AsyncMemoryStore, Depends(kit.store)]
    routes.get("/notes")(read)
    routes.post("/notes", status_code=201)(write)
    app.include_router(routes)
    return app


@attrs.frozen
class Stage:
    """A platform, an application on it that keeps notes, and a browser.

    Attributes:
        local: The platform.
        kit: The application's kit.
        app: The application.
        browser: Speaks to it.
    """

    local: MemoramLocal
    kit: MemoramKit
    app: FastAPI
    browser: TestClient

    def get(self, path: str, user: str = "ada") -> Any:
        return self.browser.get(path, headers={"x-user": user})

    def post(self, path: str, user: str = "ada", **fields: str) -> Any:
        return self.browser.post(path, headers={"x-user": user, **fields})

    def account(self, name: str = "ada") -> User:
        return self.local.create_user(email=f"{name}@example.com", password="correct horse battery")

    def consent(self, user: User, *, path: str = "/memoram/connect", by: str = "ada") -> str:
        """Begin as one user of the application, and consent as a user of the platform."""
        answer = self.get(path, by)
        assert answer.status_code == 303, answer.text
        query = httpx.URL(answer.headers["location"]).params
        assert query["redirect_uri"] == f"{SITE}/memoram/callback"
        code = self.local.authorize(
            user_id=user.id,
            client_id=query["client_id"],
            redirect_uri=query["redirect_uri"],
            code_challenge=query["code_challenge"],
        )
        return f"/memoram/callback?code={code}&state={query['state']}"

    def approved(self) -> str:
        """Ada has linked an account and approved; the access request."""
        assert self.get(self.consent(self.account())).status_code == 303
        (request,) = self.local.access_requests()
        self.local.approve(request.id)
        return request.id


@pytest.fixture
def stage() -> Iterator[Stage]:
    clock = Clock()
    clock.scale = 20
    with MemoramLocal(password_profile="fast", clock=clock) as local, local.serve() as server:
        made = local.register_app(name="Notes", redirect_uris=[f"{SITE}/memoram/callback"])
        kit = kit_of(local, server, made)
        app = notes_of(kit)
        with TestClient(app, base_url=SITE, follow_redirects=False) as browser:
            yield Stage(local, kit, app, browser)


def test_a_user_links_decides_writes_and_takes_it_back(stage: Stage) -> None:
    problem = stage.get("/notes")
    assert (problem.status_code, problem.headers["content-type"]) == (409, PROBLEM)
    assert problem.json() == {
        "type": "urn:memoram:problem:not-linked",
        "title": "The user has to link an account first",
        "status": 409,
        "detail": problem.json()["detail"],
        "url": f"{SITE}/memoram/connect",
    }
    assert stage.get("/memoram/status").json()["state"] == "not_linked"

    back = stage.get(stage.consent(stage.account(), path="/memoram/connect?return_to=/notes"))
    assert (back.status_code, back.headers["location"]) == (303, "/notes")
    (request,) = stage.local.access_requests()
    problem = stage.get("/notes")
    assert (problem.status_code, problem.json()["type"]) == (409, "urn:memoram:problem:approval-required")
    assert (problem.json()["url"], problem.json()["request_id"]) == (DASHBOARD, request.id)
    status = stage.get("/memoram/status")
    assert (status.status_code, status.json()["state"], status.json()["url"]) == (202, "pending", DASHBOARD)

    stage.local.approve(request.id)
    assert stage.get("/memoram/status").status_code == 200
    assert stage.post("/notes?text=Prefers window seats").status_code == 201
    (note,) = stage.get("/notes").json()
    assert (note["content"], "info" in note) == ("Prefers window seats", False)

    stage.local.revoke(request.id)
    problem = stage.get("/notes")
    assert (problem.status_code, problem.json()["type"]) == (403, "urn:memoram:problem:access-revoked")
    assert stage.get("/memoram/status").json()["state"] == "revoked"


def test_the_callback_refuses_another_user_than_the_one_who_began(stage: Stage) -> None:
    callback = stage.consent(stage.account(), by="ada")

    refused = stage.get(callback, "bob")

    assert (refused.status_code, refused.json()["type"]) == (400, "urn:memoram:problem:flow-refused")
    assert stage.get("/memoram/status", "bob").json()["state"] == "not_linked"
    assert stage.get(callback, "ada").status_code == 400
    assert stage.local.journal.entries("exchangeCode") == []


def test_who_is_not_signed_in_is_the_applications_own_affair(stage: Stage) -> None:
    for path in (
        "/notes",
        "/memoram/connect",
        "/memoram/callback",
        "/memoram/status",
        "/memoram/status/events",
    ):
        assert stage.browser.get(path).status_code == 401
    assert stage.browser.post("/memoram/disconnect").status_code == 401


def test_parallel_tabs_each_come_back(stage: Stage) -> None:
    user = stage.account()
    tabs = [stage.consent(user, path=f"/memoram/connect?return_to=/{each}") for each in range(3)]
    assert [stage.get(tab).headers["location"] for tab in reversed(tabs)] == ["/2", "/1", "/0"]
    assert len(stage.local.access_requests()) == 1


def test_a_place_of_somebody_elses_is_refused(stage: Stage) -> None:
    refused = stage.get("/memoram/connect?return_to=//evil.example")
    assert (refused.status_code, refused.headers["content-type"]) == (422, PROBLEM)


def test_a_user_who_says_no_to_the_authorization_server_is_told(stage: Stage) -> None:
    state = httpx.URL(stage.get("/memoram/connect").headers["location"]).params["state"]
    refused = stage.get(f"/memoram/callback?error=access_denied&state={state}")
    assert (refused.status_code, refused.json()["code"]) == (403, "access_denied")


def test_the_events_tell_what_the_user_decides(stage: Stage) -> None:
    assert stage.get(stage.consent(stage.account())).status_code == 303
    (request,) = stage.local.access_requests()
    before = len(stage.local.journal.entries("getAccessRequest"))
    with ThreadPoolExecutor(1) as pool:
        listening = pool.submit(stage.get, "/memoram/status/events")
        while len(stage.local.journal.entries("getAccessRequest")) < before + 2:
            stage.local.wait_for_request("getAccessRequest")
        stage.local.approve(request.id)
        told = listening.result(60)
    assert told.headers["content-type"].startswith("text/event-stream")
    events = [block.splitlines() for block in told.text.strip().split("\n\n")]
    said = [json.loads(line[6:]) for event in events for line in event if line.startswith("data: ")]
    assert [each["state"] for each in said] == ["pending", "approved"]
    assert said[0]["url"] == DASHBOARD


def test_what_goes_wrong_before_the_events_is_a_problem(stage: Stage) -> None:
    stage.approved()
    stage.local.faults.add(Status(503, retry_after=7), route="getAccessRequest", nth=1)
    failed = stage.get("/memoram/status/events")
    assert (failed.status_code, failed.headers["retry-after"]) == (503, "7")
    assert failed.headers["content-type"] == PROBLEM


@pytest.mark.parametrize(("status", "answered"), [(429, 429), (503, 503), (500, 503)])
def test_trouble_with_the_service_says_when_to_try_again(stage: Stage, status: int, answered: int) -> None:
    stage.approved()
    stage.get("/notes")
    stage.local.faults.add(Status(status), route="listMemoryBlobs", nth=1)
    failed = stage.get("/notes")
    assert (failed.status_code, failed.headers["content-type"]) == (answered, PROBLEM)
    assert int(failed.headers["retry-after"]) >= 1


def test_disconnecting_says_what_stays_and_another_site_cannot(stage: Stage) -> None:
    request_id = stage.approved()
    assert stage.post("/memoram/disconnect", **{"sec-fetch-site": "cross-site"}).status_code == 403
    gone = stage.post("/memoram/disconnect", **{"sec-fetch-site": "same-origin"}).json()
    assert (gone["was_linked"], gone["request_id"], gone["url"]) == (True, request_id, DASHBOARD)
    assert stage.get("/notes").json()["type"] == "urn:memoram:problem:not-linked"


# --- how it is wired -------------------------------------------------------------------------------


def test_openapi_names_the_models_and_knows_problems_alone(stage: Stage) -> None:
    told = stage.browser.get("/openapi.json").json()
    read = told["paths"]["/notes"]["get"]
    assert read["parameters"] == [
        {"name": "x-user", "in": "header", "required": False, "schema": read["parameters"][0]["schema"]}
    ]
    assert read["responses"]["200"]["content"]["application/json"]["schema"]["items"] == {
        "$ref": "#/components/schemas/Memory"
    }
    for path in ("/notes", "/memoram/status"):
        for status in ("403", "409", "429", "503"):
            assert list(told["paths"][path]["get"]["responses"][status]["content"]) == [PROBLEM]
    assert {"Memory", "ConnectionStatus", "Disconnected"} <= told["components"]["schemas"].keys()


class NoMemories:
    """Stands for a store in the tests of an application."""

    async def create(self, text: str) -> Memory:
        return Memory(id="mem-1", content=text)


def test_tests_put_a_store_of_their_own_in_the_place_of_the_users(stage: Stage) -> None:
    stage.app.dependency_overrides[stage.kit.store] = NoMemories
    assert stage.browser.post("/notes?text=a").json()["content"] == "a"


def test_an_application_starts_again(stage: Stage) -> None:
    stage.approved()
    for _ in range(2):
        with TestClient(stage.app, base_url=SITE) as browser:
            assert browser.get("/notes", headers={"x-user": "ada"}).json() == []


def test_the_client_and_its_connections_can_be_depended_on(stage: Stage) -> None:
    async def whole(client: object, connections: object) -> str:
        return f"{type(client).__name__} {type(connections).__name__}"

    whole.__annotations__ |= {
        "client": Annotated[AsyncMemoram, Depends(stage.kit.client)],
        "connections": Annotated[AsyncConnections, Depends(stage.kit.connections)],
    }
    stage.app.get("/whole")(whole)
    assert stage.get("/whole").json() == "AsyncMemoram AsyncConnections"


def test_a_mounted_application_needs_the_lifespan_of_the_outer_one(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[dict[str, Any]]:
        async with AsyncExitStack() as stack:
            yield dict(await stack.enter_async_context(stage.kit.lifespan(app)))

    forgetful, outer = FastAPI(), FastAPI(lifespan=lifespan)
    for each in (forgetful, outer):
        each.mount("/app", stage.app)
    headers = {"x-user": "ada"}
    with TestClient(outer, base_url=SITE) as browser:
        assert browser.get("/app/memoram/status", headers=headers).json()["state"] == "not_linked"
    with TestClient(forgetful, base_url=SITE) as browser:
        failed = browser.get("/app/memoram/status", headers=headers)
    assert (failed.status_code, failed.json()["detail"]) == (500, "See the application's log.")
    assert "enter kit.lifespan" in caplog.text


async def _raise(error: Exception) -> None:
    await answer_problem(None, error)  # type: ignore[arg-type]


@pytest.mark.anyio
async def test_errors_of_others_are_left_to_them() -> None:
    with pytest.raises(ValueError, match="mine"):
        await _raise(ValueError("mine"))


def test_without_fastapi_the_import_says_which_extra_brings_it() -> None:
    code = """
import sys
sys.modules["fastapi"] = None
try:
    import memoram_async.integrations.fastapi
except ImportError as error:
    print(error)
"""
    done = subprocess.run((sys.executable, "-c", code), capture_output=True, encoding="utf-8", check=True)  # noqa: S603
    assert "pip install 'memoram[fastapi]'" in done.stdout
