"""Flows that wait for their users, and where these may be sent afterwards."""

from __future__ import annotations

import pickle

import pytest

from memoram_async.core.errors import InvalidArgumentError
from memoram_async.core.oauth import FLOW_SECONDS, begin_flow
from memoram_async.core.pending_flows import (
    MOST_FLOWS,
    OpenFlows,
    PendingFlow,
    check_return_to,
    read_open_flows,
    read_pending,
)
from memoram_async.core.secret import Secret

ENDPOINT = "https://auth.test/oauth/authorize"
BACK = "https://app.test:8443/back"


def pending(**members: str | None) -> PendingFlow:
    """Ada's flow."""
    flow = begin_flow(
        ENDPOINT,
        client_id="app",
        redirect_uri=BACK,
        scope=None,
        params={"prompt": "login"},
        wall=1000,
        random=lambda count: "r" * count,
    )
    return PendingFlow(user=members.get("user") or "ada", return_to=members.get("return_to"), flow=flow)


@pytest.mark.parametrize("return_to", [None, "/notes"])
def test_what_is_written_is_read(return_to: str | None) -> None:
    before = pending(return_to=return_to, user="é")
    after = read_pending(Secret(before.written().decode()), endpoint=ENDPOINT)
    assert (after.user, after.return_to, after.flow.url) == (before.user, before.return_to, before.flow.url)
    assert after.ends() == 1000 + FLOW_SECONDS


def test_a_flow_is_its_users_alone() -> None:
    assert pending(user="ada").is_of("ada")
    assert not pending(user="ada").is_of("ada ")
    assert not pending(user="é").is_of("e")


def test_a_flow_shows_nothing_and_stays_in_its_process() -> None:
    assert "rrrr" not in repr(pending())
    with pytest.raises(TypeError):
        pickle.dumps(pending())


def test_the_newest_flows_stay_open() -> None:
    flows, dropped = OpenFlows(), list[str]()
    for number in range(MOST_FLOWS + 2):
        flows, dropped = flows.with_flow(str(number), ends=100, wall=1)
        assert len(flows.flows) <= MOST_FLOWS
        assert dropped == ([] if number < MOST_FLOWS else [str(number - MOST_FLOWS)])
    assert [name for name, _ in flows.flows] == [str(number) for number in range(2, MOST_FLOWS + 2)]


def test_flows_whose_time_is_over_make_room() -> None:
    flows = OpenFlows(tuple((str(number), 50.0) for number in range(MOST_FLOWS)))
    flows, dropped = flows.with_flow("new", ends=100, wall=50)
    assert (flows.flows, dropped) == ((("new", 100),), [])


def test_open_flows_are_written_and_read() -> None:
    flows = OpenFlows((("flow-1", 10.5), ("flow-2", 11.0)))
    assert read_open_flows(Secret(flows.written().decode())) == flows


@pytest.mark.parametrize(
    "value",
    [
        *(None, "/", "/notes", "/notes?next=//other.test/#top", "/a@b", "https://app.test:8443"),
        "https://app.test:8443/notes?mail=a@b",
        "/" + "a" * 2047,
    ],
)
def test_a_place_of_the_applications_own_is_let_through(value: str | None) -> None:
    assert check_return_to(value, redirect_uri=BACK) == value


@pytest.mark.parametrize(
    "value",
    [
        *(
            "",
            "notes",
            "//other.test",
            "/\\other.test",
            "\\/other.test",
            "https://other.test/",
            "javascript:1",
        ),
        *(
            "https://app.test/",
            "http://app.test:8443/",
            "https://app.test:8443@other.test/",
            "https:other.test",
        ),
        *("/a b", "/a\n", "/\t/other.test", "/é", "https://a@app.test:8443/", "/" + "a" * 2048, 7, b"/"),
        *("https://[", "https://app.test:8443.other.test/"),
    ],
)
def test_a_place_of_anybody_elses_is_refused(value: object) -> None:
    with pytest.raises(
        InvalidArgumentError, match=r"^return_to .* a URL of https://app\.test:8443, of at most 2048"
    ):
        check_return_to(value, redirect_uri=BACK)


def test_an_application_without_an_origin_has_paths_alone() -> None:
    assert check_return_to("/notes", redirect_uri="com.example.app:/back") == "/notes"
    with pytest.raises(InvalidArgumentError):
        check_return_to("com.example.app:/notes", redirect_uri="com.example.app:/back")
