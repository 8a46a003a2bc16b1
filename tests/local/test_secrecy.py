"""Secrets at rest and in passing."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import httpx

from memoram_local import MemoramLocal

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_the_store_holds_no_secret_that_it_need_not_hand_out(tmp_path: Path) -> None:
    redirect_uri = "http://localhost/cb"
    with MemoramLocal(data=tmp_path, password_profile="fast") as local, local.serve() as server:
        app = local.register_app(name="App", redirect_uris=[redirect_uri])
        user = local.create_user(email="ada@example.test", password="correct horse")
        code = local.authorize(user_id=user.id, client_id=app.client_id, redirect_uri=redirect_uri)
        with httpx.Client(base_url=server.url, trust_env=False) as http:
            http.post("/signin", data={"email": user.email, "password": "correct horse"})
            (session,) = http.cookies.values()
            tokens = http.post(
                "/oauth/token",
                data={"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri},
                auth=(app.client_id, app.client_secret),
            ).json()

    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())

    assert user.memory_key.encode() in stored
    for secret in (
        app.api_key,
        app.client_secret,
        "correct horse",
        code,
        session,
        tokens["access_token"],
        tokens["refresh_token"],
    ):
        assert secret.encode() not in stored


def test_the_data_is_for_its_owner_alone(tmp_path: Path) -> None:
    with MemoramLocal(data=tmp_path / "data", password_profile="fast"):
        modes = [path.stat().st_mode & 0o077 for path in (tmp_path / "data").iterdir()]

    assert (tmp_path / "data").stat().st_mode & 0o077 == 0
    assert set(modes) == {0}


def test_nothing_shows_secrets_when_printed() -> None:
    with MemoramLocal(password_profile="fast") as local:
        app = local.register_app(name="App")
        user = local.create_user(email="ada@example.test", password="correct horse")

    assert app.api_key not in repr(app)
    assert app.client_secret not in repr(app)
    assert user.encryption_key not in repr(user)


def test_serving_logs_nothing(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    caplog.set_level(logging.DEBUG, logger="uvicorn.access")
    caplog.set_level(logging.WARNING, logger="uvicorn.error")
    with MemoramLocal(password_profile="fast") as local, local.serve() as server:
        httpx.get(f"{server.url}/oauth/authorize?code=secret", trust_env=False)

    assert not [record for record in caplog.records if record.name.startswith("uvicorn")]
    assert capfd.readouterr() == ("", "")
