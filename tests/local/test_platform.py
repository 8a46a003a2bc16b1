"""`MemoramLocal` as an object: isolated, repeatable, restartable, quickly served."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx
import pytest

from memoram_local import (
    AddressError,
    Clock,
    DataDirectoryError,
    MemoramLocal,
    NotFoundError,
    RegistrationError,
)
from memoram_local.process.server import listen

if TYPE_CHECKING:
    from pathlib import Path


def made(seed: int | None) -> tuple[str, ...]:
    with MemoramLocal(password_profile="fast", seed=seed) as local:
        app = local.register_app(name="App")
        user = local.create_user(email="ada@example.test", password="correct horse")
        return (app.id, app.api_key, app.client_id, app.client_secret, user.id, user.encryption_key)


def test_a_seed_makes_everything_repeatable() -> None:
    assert made(seed=7) == made(seed=7)
    assert not set(made(seed=7)) & set(made(seed=8))


def test_without_a_seed_nothing_repeats() -> None:
    assert not set(made(seed=None)) & set(made(seed=None))


def test_platforms_share_nothing() -> None:
    with MemoramLocal(password_profile="fast") as one, MemoramLocal(password_profile="fast") as other:
        user = one.create_user(email="ada@example.test", password="correct horse")
        app = other.register_app(name="App")
        other.create_user(email="ada@example.test", password="correct horse")
        with pytest.raises(NotFoundError):
            other.authorize(user_id=user.id, client_id=app.client_id, redirect_uri="http://localhost/")
        assert not one.has_apps
        assert other.has_apps


def test_data_keys_and_sign_ins_survive_a_restart(tmp_path: Path) -> None:
    with httpx.Client(trust_env=False) as http:
        with MemoramLocal(data=tmp_path, password_profile="fast") as local, local.serve() as server:
            app = local.register_app(name="App")
            user = local.create_user(email="ada@example.test", password="correct horse")
            token = http.post(f"{server.api_url}/auth/token", json={"api_key": app.api_key}).json()["token"]
            http.headers["authorization"] = f"Bearer {token}"
            asked = http.post(
                f"{server.api_url}/access-requests", json={"memoryKey": user.memory_key, "reason": "x"}
            ).json()
            local.approve(asked["id"])
            body = {"user_id": user.id, "memoryKey": user.memory_key, "content": "sealed", "tags": ["a"]}
            blob = http.post(f"{server.api_url}/memory-blobs", json=body).json()
            http.post(f"{server.url}/signin", data={"email": user.email, "password": "correct horse"})

        with MemoramLocal(data=tmp_path, password_profile="fast") as local, local.serve() as server:
            page = http.get(f"{server.api_url}/memory-blobs", params={"user_id": user.id}).json()
            credentials = http.get(f"{server.api_url}/access-requests/{asked['id']}/credentials").json()
            dashboard = http.get(f"{server.url}/dashboard")

    assert page["memoryBlobs"] == [{**blob, "content": "sealed"}]
    assert credentials["encryption_key"] == user.encryption_key
    assert dashboard.status_code == 200


def test_a_platform_can_be_served_again_and_keeps_its_data() -> None:
    with MemoramLocal(password_profile="fast") as local:
        app = local.register_app(name="App")
        for _ in range(2):
            with local.serve() as server:
                answer = httpx.post(
                    f"{server.api_url}/auth/token", json={"api_key": app.api_key}, trust_env=False
                )
                assert answer.status_code == 200


def test_serving_answers_at_once_and_stops_within_a_second_despite_open_connections() -> None:
    with MemoramLocal(password_profile="fast") as local:
        before = set(threading.enumerate())
        with local.serve() as server, httpx.Client(trust_env=False) as http:
            assert http.get(server.url).status_code == 200
            half_sent = socket.create_connection((server.host, server.port))
            half_sent.sendall(b"POST /signin HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n")
            leaving = time.monotonic()
        assert time.monotonic() - leaving < 1
        half_sent.close()
        assert not [
            thread for thread in set(threading.enumerate()) - before if thread.name == "memoram-server"
        ]
        with pytest.raises(httpx.ConnectError):
            httpx.get(server.url, trust_env=False)


def test_a_failure_inside_the_block_stops_the_server_too() -> None:
    url = ""

    def fail() -> None:
        nonlocal url
        with MemoramLocal(password_profile="fast") as local, local.serve() as server:
            url = server.url
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    with pytest.raises(httpx.ConnectError):
        httpx.get(url, trust_env=False)


def test_the_listener_names_its_protocol() -> None:
    """With proto 0 asyncio leaves Nagle's algorithm on: some 40 ms a request on kept connections."""
    with MemoramLocal(password_profile="fast") as local, local.serve() as server:
        assert server.listener.proto == socket.IPPROTO_TCP
        assert server.listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.test", ""])  # noqa: S104 - refused
def test_only_this_machine_is_served(host: str) -> None:
    with pytest.raises(AddressError, match="refused"):
        listen(host, 0)


@pytest.mark.parametrize("host", ["127.0.0.2", "127.1.2.3", "::1"])
def test_whatever_loopback_address_it_listens_on_it_answers_there(host: str) -> None:
    with MemoramLocal(password_profile="fast") as local, local.serve(host=host) as server:
        assert httpx.get(f"{server.url}/", trust_env=False).status_code == 200
        assert httpx.get(f"{server.api_url}/tags", trust_env=False).status_code == 401


def test_serving_leaves_the_event_loops_of_the_process_as_they_were() -> None:
    async def kind() -> str:
        return type(asyncio.get_running_loop()).__module__

    before = asyncio.run(kind())
    with MemoramLocal(password_profile="fast") as local, local.serve():
        assert asyncio.run(kind()) == before
    assert asyncio.run(kind()) == before


def test_servers_come_and_go_without_a_word_in_the_users_log(caplog: pytest.LogCaptureFixture) -> None:
    with (
        caplog.at_level(logging.DEBUG),
        MemoramLocal(password_profile="fast") as local,
        local.serve() as server,
    ):
        httpx.get(f"{server.url}/", trust_env=False)

    assert [record for record in caplog.records if record.name.startswith(("uvicorn", "memoram"))] == []


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.0.0.2"])
def test_loopback_addresses_are_served(host: str) -> None:
    with listen(host, 0) as listener:
        assert listener.getsockname()[0].startswith("127.0.0.")


def test_a_taken_port_is_said_in_one_line() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(AddressError, match=f"port {port}: .*choose another"):
            listen("127.0.0.1", port)


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_cannot_be_is_said_in_one_line(port: int) -> None:
    with pytest.raises(AddressError, match="choose another"):
        listen("127.0.0.1", port)


def test_a_data_directory_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(DataDirectoryError, match="cannot be used"):
            MemoramLocal(data=path)


def test_damaged_data_is_refused(tmp_path: Path) -> None:
    (tmp_path / "memoram.sqlite3").write_bytes(b"this is not a database " * 100)

    with pytest.raises(DataDirectoryError, match="not a database"):
        MemoramLocal(data=tmp_path)


def test_data_of_another_version_is_refused(tmp_path: Path) -> None:
    import sqlite3  # noqa: PLC0415 - for this test alone

    with MemoramLocal(data=tmp_path):
        pass
    connection = sqlite3.connect(tmp_path / "memoram.sqlite3")
    connection.execute("UPDATE settings SET value = '999' WHERE name = 'schema_version'")
    connection.commit()
    connection.close()

    with pytest.raises(DataDirectoryError, match="another version"):
        MemoramLocal(data=tmp_path)


@pytest.mark.parametrize(
    "base_url",
    ["memoram.test", "ftp://memoram.test", "https://memoram.test/", "https://u@memoram.test", "https://"],
)
def test_a_base_url_must_be_an_origin(base_url: str) -> None:
    with pytest.raises(ValueError, match="base_url"):
        MemoramLocal(base_url=base_url)


def test_under_https_the_session_cookie_is_secure() -> None:
    with (
        MemoramLocal(password_profile="fast", base_url="https://memoram.test") as local,
        local.serve() as server,
    ):
        local.create_user(email="ada@example.test", password="correct horse")
        answer = httpx.post(
            f"{server.url}/signin",
            data={"email": "ada@example.test", "password": "correct horse"},
            headers={"host": "memoram.test"},
            trust_env=False,
        )

    assert "secure" in answer.headers["set-cookie"].lower()


def test_what_cannot_be_registered_is_refused() -> None:
    with MemoramLocal(password_profile="fast") as local:
        with pytest.raises(RegistrationError):
            local.register_app(name=" ")
        with pytest.raises(RegistrationError):
            local.register_app(name="App", redirect_uris=["javascript:x"])
        with pytest.raises(RegistrationError):
            local.create_user(email="ada@example.test", password="short")


def test_closing_twice_does_nothing() -> None:
    local = MemoramLocal(password_profile="fast")
    local.close()
    local.close()


def test_a_clock_only_moves_forward(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    shown = clock.now()
    monkeypatch.setattr(time, "time_ns", lambda: 0)

    assert clock.now() >= shown
    assert clock.now().tzinfo is UTC
    with pytest.raises(ValueError, match="forward"):
        clock.advance(-1)


def test_a_clock_can_stand_still_and_still_order_what_it_stamps() -> None:
    start = datetime(2030, 1, 1, tzinfo=UTC)
    clock = Clock(start=start, running=False)

    stamps = [clock.stamp() for _ in range(5)]

    assert clock.now() == start
    assert len(set(stamps)) == 5
    assert stamps == sorted(stamps)
    clock.advance(1.5)
    assert (clock.now() - start).total_seconds() == 1.5


def test_a_clock_needs_to_know_the_time_zone() -> None:
    with pytest.raises(ValueError, match="aware"):
        Clock(start=datetime(2030, 1, 1))  # noqa: DTZ001 - what is refused
