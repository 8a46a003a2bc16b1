"""What holds for every request: bodies, paths, methods, hosts and origins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import httpx
import pytest

from memoram_local import MemoramLocal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memoram_local import LocalServer
    from tests.local.conftest import Application, Memories


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nope",
        b'{"memoryKey": NaN}',
        b'{"memoryKey": Infinity}',
        b'{"reason": "\xff"}',
        b'{"a": 1} {"b": 2}',
        '{"memoryKey": "x"}'.encode("utf-16"),
        b'{"n": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
    ],
)
def test_malformed_json_is_met_with_400(application: Application, body: bytes) -> None:
    answer = application.http.post("/access-requests", content=body)

    assert answer.status_code == 400
    assert answer.json()["error"] == {
        "code": "invalid_request",
        "message": "The body is not valid JSON in UTF-8.",
    }


@pytest.mark.parametrize("body", ["[]", "7", "null", '"text"'])
def test_json_that_is_no_object_is_met_with_400(application: Application, body: str) -> None:
    answer = application.http.post("/access-requests", content=body)

    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "The body must be a JSON object."


def test_a_body_that_is_too_large_is_met_with_413(memories: Memories) -> None:
    answer = memories.post(content="x" * (4 * 1024 * 1024))

    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "payload_too_large"


def test_a_body_that_hides_its_length_is_met_with_413(application: Application) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(5 * 1024):
            yield b" " * 1024

    answer = application.http.post("/access-requests", content=chunks())

    assert answer.status_code == 413


@pytest.mark.parametrize(
    "path", ["/api/v1", "/api/v1/", "/api/v1/nothing", "/api/v1/tags/", "/api/v1/tags/a/b", "/.well-known/x"]
)
def test_an_unknown_path_of_the_api_is_met_with_404(http: httpx.Client, path: str) -> None:
    answer = http.get(path)

    assert answer.status_code == 404
    if path != "/api/v1":
        assert answer.json() == {"error": {"code": "not_found", "message": "There is nothing here."}}


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/auth/token", {"POST"}),
        ("DELETE", "/access-requests", {"GET", "HEAD", "POST"}),
        ("PUT", "/memory-blobs/mem_x", {"GET", "HEAD", "PATCH", "DELETE"}),
        ("POST", "/tags", {"GET", "HEAD"}),
    ],
)
def test_another_method_is_met_with_405(
    http: httpx.Client, method: str, path: str, allowed: set[str]
) -> None:
    answer = http.request(method, f"/api/v1{path}")

    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == allowed
    assert answer.json()["error"]["code"] == "method_not_allowed"


def test_every_answer_has_another_request_id(http: httpx.Client) -> None:
    answers = [
        http.get("/"),
        http.get("/nowhere"),
        http.get("/static/style.css"),
        http.get("/api/v1/tags"),
        http.post("/api/v1/auth/token", content=b"{"),
        http.post("/oauth/token"),
        http.get("/", headers={"host": "evil.example"}),
        http.post("/signin", headers={"origin": "https://evil.example"}),
    ]

    ids = [answer.headers["x-request-id"] for answer in answers]

    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:80",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "evil@localhost",
        "localhost/",
        "localhost:x",
        "[::1",
        "192.0.2.1",
        "",
    ],
)
@pytest.mark.parametrize("path", ["/", "/api/v1/tags", "/oauth/token"])
def test_another_host_is_refused(http: httpx.Client, host: str, path: str) -> None:
    assert http.get(path, headers={"host": host}).status_code in {400, 421}


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8765", "127.0.0.1:1", "[::1]:8765"])
def test_this_machine_is_served_by_any_of_its_names(http: httpx.Client, host: str) -> None:
    assert http.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 400),
        ({"sec-fetch-site": "same-origin"}, 400),
        ({"sec-fetch-site": "none"}, 400),
        ({"sec-fetch-site": "same-origin", "origin": "null"}, 400),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://127.0.0.1:1"}, 403),
    ],
)
@pytest.mark.parametrize("path", ["/signin", "/signup"])
def test_forms_of_other_sites_are_refused(
    http: httpx.Client, path: str, headers: dict[str, str], status: int
) -> None:
    assert http.post(path, data={"email": "x"}, headers=headers).status_code == status


def test_the_own_origin_may_send_forms(http: httpx.Client, server: LocalServer) -> None:
    assert http.post("/signin", data={"email": "x"}, headers={"origin": server.url}).status_code == 400


@pytest.mark.parametrize(
    "path", ["/portal/apps", "/dashboard/requests/x/approve", "/oauth/authorize", "/signout"]
)
def test_all_forms_are_guarded(http: httpx.Client, path: str) -> None:
    assert http.post(path, headers={"sec-fetch-site": "cross-site"}).status_code == 403


def test_reading_is_not_guarded(http: httpx.Client) -> None:
    assert http.get("/signin", headers={"sec-fetch-site": "cross-site"}).status_code == 200


def test_pages_of_other_sites_may_not_read_answers(http: httpx.Client) -> None:
    answer = http.get("/api/v1/tags", headers={"origin": "https://evil.example"})

    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.anyio
async def test_configured_hosts_are_served_in_process_on_any_event_loop(anyio_backend: str) -> None:
    del anyio_backend
    with MemoramLocal(
        password_profile="fast", base_url="https://memoram.test:8443", allowed_hosts=["testserver"]
    ) as local:
        app = local.register_app(name="In process")
        transport = httpx.ASGITransport(local.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            answer = await client.post("/api/v1/auth/token", json={"api_key": app.api_key})
            metadata = await client.get(
                "/.well-known/oauth-authorization-server", headers={"host": "memoram.test"}
            )
            refused = await client.get("/", headers={"host": "other.test"})

    assert answer.status_code == 200
    assert metadata.json()["issuer"] == "https://memoram.test:8443"
    assert refused.status_code == 421


@pytest.mark.anyio
async def test_many_calls_at_once_are_all_answered(anyio_backend: str) -> None:
    del anyio_backend
    statuses: list[int] = []
    with MemoramLocal(password_profile="fast") as local:
        app = local.register_app(name="Busy")
        transport = httpx.ASGITransport(local.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:

            async def call() -> None:
                answer = await client.post("/api/v1/auth/token", json={"api_key": app.api_key})
                statuses.append(answer.status_code)

            async with anyio.create_task_group() as calls:
                for _ in range(50):
                    calls.start_soon(call)

    assert statuses == [200] * 50


@pytest.mark.anyio
async def test_a_fault_inside_the_platform_is_met_with_500_and_tells_nothing(anyio_backend: str) -> None:
    del anyio_backend
    local = MemoramLocal(password_profile="fast")
    local.close()
    transport = httpx.ASGITransport(local.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        called = await client.post("/api/v1/auth/token", json={"api_key": "mem_x"})
        looked = await client.get("/oauth/authorize", params={"client_id": "client_x"})

    message = "Something went wrong inside the platform."
    assert called.status_code == looked.status_code == 500
    assert called.json() == {"error": {"code": "internal_error", "message": message}}
    assert message in looked.text
    assert called.headers["x-request-id"]
