"""The logs of calls and of access, when the store does not take them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from memoram_local.clock import Clock
from memoram_local.randomness import Randomness
from memoram_local.services.activity import Activity
from memoram_local.store.access_log import AccessLog
from memoram_local.store.api_keys import ApiKeys
from memoram_local.store.changes import Changes
from memoram_local.store.database import Database
from memoram_local.store.request_log import RequestLog
from memoram_local.store.schema import access_log

if TYPE_CHECKING:
    import pytest


def test_what_the_store_does_not_take_is_let_go_of_and_what_comes_later_is_written(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock, database = Clock(), Database(None)
    activity = Activity(
        clock=clock,
        database=database,
        request_log=RequestLog(),
        access_log=AccessLog(),
        api_keys=ApiKeys(clock=clock, randomness=Randomness(), changes=Changes()),
    )
    database.write_now(access_log.drop)
    for number in range(250):
        activity.done("created", account_id="ada", app_id="app", blob_id=f"early {number}")
    until = time.monotonic() + 10
    while not caplog.records:
        assert time.monotonic() < until
        activity.done("created", account_id="ada", app_id="app", blob_id="the last")
        database.write_now(lambda _: None)
    database.write_now(access_log.create)

    activity.done("created", account_id="ada", app_id="app", blob_id="later")
    activity.write_now()
    entries, _ = database.read_now(lambda connection: AccessLog().newest(connection, "ada", limit=500))
    database.close()

    assert [entry.blob_id for entry in entries] == ["later"]
    assert [record.getMessage() for record in caplog.records] == [
        "part of the request and access logs could not be written"
    ]
