"""An application's own users: linked, asked, opened, revoked and forgotten, in every world."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from memoram_async import (
    AccessRejected,
    AccessRevoked,
    APITimeoutError,
    ApprovalRequired,
    ClientClosedError,
    ConfigurationError,
    ConnectionState,
    ConnectionStatus,
    Disconnected,
    InvalidArgumentError,
    MemoryGrantStore,
    NotFoundError,
    OAuthError,
    OAuthFlowError,
    OutcomeUnknownError,
    Secret,
    ServerError,
)
from memoram_async.core.grants import GRANT_PURPOSE, LEASE_SECONDS, Grant
from memoram_async.crypto.secret_seal import SecretSeal
from memoram_async.grants.rows import GrantRows
from memoram_local.testing import DropAfterCommit, Status
from tests.flows.conftest import BACK
from tests.worlds import Time, failure, items

if TYPE_CHECKING:
    from memoram_async import GrantStore
    from tests.flows.conftest import Stage

pytestmark = pytest.mark.anyio

WHY = "Remembers your travel preferences"
SECRET = "a secret of the application's own, of 32 bytes"
ADA, BOB = "ada@https://id.test", "bob@https://id.test"
DASHBOARD = "https://dashboard.test/"
LINK = "https://app.test/connect"


def client_of(stage: Stage, **options: Any) -> Any:
    """A client that knows all that connecting takes."""
    known: dict[str, Any] = {
        "client_id": stage.app.client_id,
        "client_secret": stage.app.client_secret,
        "secret": SECRET,
        "dashboard_url": DASHBOARD,
    }
    return stage.client(**{**known, **options})


def connections_of(client: Any, grants: GrantStore | None = None, **options: Any) -> Any:
    """Its connections."""
    store = MemoryGrantStore() if grants is None else grants
    return client.connections(store, **{"redirect_uri": BACK, "reason": WHY, "link_url": LINK, **options})


def consent(stage: Stage, url: str, *, user: Any = None) -> str:
    """The user opens the URL and consents; where the browser comes back to."""
    query = httpx.URL(url).params
    code = stage.local.authorize(
        user_id=(user or stage.user).id,
        client_id=query["client_id"],
        redirect_uri=query["redirect_uri"],
        code_challenge=query["code_challenge"],
    )
    return f"{BACK}?code={code}&state={query['state']}"


def asked(stage: Stage) -> list[Any]:
    """The access requests that were made."""
    return list(stage.local.access_requests())


def approve(stage: Stage) -> None:
    """The user approves what is asked."""
    for request in asked(stage):
        if request.status == "pending":
            stage.local.approve(request.id)


async def linked(stage: Stage, connections: Any, user: str = ADA) -> Any:
    """The user's open store, after linking and approving."""
    await connections.link(user, stage.user.memory_key)
    approve(stage)
    return await connections.store(user)


# --- from nothing to memories ----------------------------------------------------------------------


async def test_a_user_links_an_account_approves_and_is_remembered(stage: Stage) -> None:
    async with client_of(stage) as client:
        connections = connections_of(client)
        required = await failure(connections.store(ADA), ApprovalRequired)
        assert (required.kind, required.url, required.request_id) == ("link", LINK, None)
        assert await connections.status(ADA) == ConnectionStatus(state=ConnectionState.NOT_LINKED, url=LINK)

        callback = consent(stage, await connections.begin(ADA, return_to="/notes?page=2"))
        done = await connections.complete(ADA, callback)
        (request,) = asked(stage)
        assert done == ConnectionStatus(
            state=ConnectionState.PENDING, url=DASHBOARD, request_id=request.id, return_to="/notes?page=2"
        )
        required = await failure(connections.store(ADA), ApprovalRequired)
        assert (required.kind, required.url, required.request_id) == ("approve", DASHBOARD, request.id)
        assert (await connections.status(ADA)).state == "pending"

        stage.local.approve(request.id)
        assert (await connections.status(ADA)).state == "approved"
        store = await connections.store(ADA)
        await store.create("Prefers window seats")
        assert [memory.content for memory in await items(store.list())] == ["Prefers window seats"]
        assert len(asked(stage)) == 1


async def test_another_worker_with_the_same_grants_needs_one_call_for_a_store(stage: Stage) -> None:
    grants = MemoryGrantStore()
    async with client_of(stage) as client:
        await linked(stage, connections_of(client, grants))
    before = len(stage.local.journal.entries())
    async with client_of(stage) as client:
        store = await connections_of(client, grants).store(ADA)
        assert store.user_id == stage.user.id
    asked_for = [entry.operation for entry in stage.local.journal.entries()[before:]]
    assert asked_for == ["createToken", "getAccessCredentials"]


async def test_an_open_store_costs_no_call(stage: Stage) -> None:
    async with client_of(stage) as client:
        connections = connections_of(client)
        await linked(stage, connections)
        before = len(stage.local.journal.entries())
        await connections.store(ADA)
        assert len(stage.local.journal.entries()) == before


async def test_linking_a_user_who_approved_before_asks_nobody(stage: Stage) -> None:
    async with client_of(stage) as client:
        await stage.store(client)
        status = await connections_of(client).link(ADA, stage.user.memory_key)
        assert status.state == "approved"
        assert len(asked(stage)) == 1


# --- whose flow it is ------------------------------------------------------------------------------


async def test_a_link_that_another_person_opened_links_nobody(stage: Stage) -> None:
    bob = stage.local.create_user(email="bob@example.com", password="correct horse battery")
    async with client_of(stage) as client:
        connections = connections_of(client)
        callback = consent(stage, await connections.begin(ADA), user=bob)

        error = await failure(connections.complete(BOB, callback), OAuthFlowError)
        assert "another user" in error.message
        await failure(connections.complete(ADA, callback), OAuthFlowError)

        assert (await connections.status(ADA)).state == "not_linked"
        assert (await connections.status(BOB)).state == "not_linked"
    assert stage.local.journal.entries("exchangeCode") == []


async def test_a_flow_is_completed_once_by_whatever_worker(stage: Stage) -> None:
    grants = MemoryGrantStore()
    async with client_of(stage) as one, client_of(stage) as other:
        callback = consent(stage, await connections_of(one, grants).begin(ADA))
        await connections_of(other, grants).complete(ADA, callback)
        await failure(connections_of(one, grants).complete(ADA, callback), OAuthFlowError)
    assert len(stage.local.journal.entries("exchangeCode")) == 1


async def test_eight_tabs_may_be_open_and_a_ninth_ends_the_oldest(stage: Stage) -> None:
    async with client_of(stage) as client:
        connections = connections_of(client)
        tabs = [await connections.begin(ADA, return_to=f"/{number}") for number in range(9)]
        others = await connections.begin(BOB)
        await failure(connections.complete(ADA, consent(stage, tabs[0])), OAuthFlowError)
        for number in (8, 1):
            done = await connections.complete(ADA, consent(stage, tabs[number]))
            assert done.return_to == f"/{number}"
        await connections.complete(BOB, consent(stage, others))


async def test_a_user_who_says_no_to_the_authorization_server_is_told(stage: Stage) -> None:
    async with client_of(stage) as client:
        connections = connections_of(client)
        state = httpx.URL(await connections.begin(ADA)).params["state"]
        error = await failure(
            connections.complete(ADA, {"error": "access_denied", "state": state}), OAuthError
        )
        assert error.code == "access_denied"


async def test_a_flow_whose_code_was_not_spent_can_be_completed_again(stage: Stage) -> None:
    async with client_of(stage, max_retries=0) as client:
        connections = connections_of(client)
        callback = consent(stage, await connections.begin(ADA))
        stage.local.faults.add(Status(503, retry_after=1), route="exchangeCode", nth=1)
        await failure(connections.complete(ADA, callback), ServerError)
        assert (await connections.complete(ADA, callback)).state == "pending"


async def test_a_flow_whose_code_may_be_spent_is_over(stage: Stage) -> None:
    async with client_of(stage, max_retries=0) as client:
        connections = connections_of(client)
        callback = consent(stage, await connections.begin(ADA))
        stage.local.faults.add(DropAfterCommit(), route="exchangeCode", nth=1)
        await failure(connections.complete(ADA, callback), OutcomeUnknownError)
        await failure(connections.complete(ADA, callback), OAuthFlowError)


@pytest.mark.parametrize("callback", [f"{BACK}?code=1", f"{BACK}?code=1&state=other", {"error": "x"}])
async def test_a_callback_of_no_flow_is_refused(stage: Stage, callback: object) -> None:
    async with client_of(stage) as client:
        await failure(connections_of(client).complete(ADA, callback), OAuthFlowError)


@pytest.mark.parametrize("callback", [None, 7, "", f"{BACK}?state=a&state=b"])
async def test_what_is_no_callback_is_refused(stage: Stage, callback: object) -> None:
    async with client_of(stage) as client:
        await failure(connections_of(client).complete(ADA, callback), InvalidArgumentError)


# --- when things go wrong --------------------------------------------------------------------------


async def test_an_account_stays_linked_if_asking_fails_and_the_next_call_asks(stage: Stage) -> None:
    async with client_of(stage, max_retries=0) as client:
        connections = connections_of(client)
        callback = consent(stage, await connections.begin(ADA))
        stage.local.faults.add(Status(500), route="createAccessRequest", nth=1)
        await failure(connections.complete(ADA, callback), ServerError)
        assert asked(stage) == []
        assert (await failure(connections.store(ADA), ApprovalRequired)).kind == "approve"
        assert len(asked(stage)) == 1


async def test_a_memory_key_that_nobody_has_links_nothing(stage: Stage) -> None:
    async with client_of(stage) as client:
        connections = connections_of(client)
        await failure(connections.link(ADA, "mk_nobody"), NotFoundError)
        assert (await connections.status(ADA)).state == "not_linked"
        store = await linked(stage, connections)
        await failure(connections.link(ADA, "mk_nobody"), NotFoundError)
        assert (await connections.store(ADA)).user_id == store.user_id


async def test_a_user_who_said_no_is_not_asked_again_by_itself(stage: Stage) -> None:
    async with client_of(stage) as client:
        connections = connections_of(client)
        await connections.link(ADA, stage.user.memory_key)
        stage.local.reject(asked(stage)[0].id)
        assert (await connections.status(ADA)).state == "rejected"
        await failure(connections.store(ADA), AccessRejected)

        again = await connections.link(ADA, stage.user.memory_key)
        assert again.state == "rejected"
        assert again.until is not None
        refused = await failure(connections.store(ADA), AccessRejected)
        assert refused.until == again.until
        assert (await connections.status(ADA)).until == again.until
    assert len(asked(stage)) == 1


async def test_a_process_that_died_while_asking_is_waited_for_as_long_as_its_lease(stage: Stage) -> None:
    time, grants = Time(), MemoryGrantStore()
    leased(grants, Grant().linked(Secret(stage.user.memory_key)).leased("dead", wall=time.epoch))
    async with client_of(stage, time=time) as client:
        began = time.moment
        required = await failure(connections_of(client, grants).store(ADA), ApprovalRequired)
        assert required.kind == "approve"
        assert LEASE_SECONDS <= time.moment - began <= LEASE_SECONDS + 1
    assert len(asked(stage)) == 1


async def test_a_total_timeout_ends_that_wait(stage: Stage) -> None:
    time, grants = Time(), MemoryGrantStore()
    leased(grants, Grant().linked(Secret(stage.user.memory_key)).leased("busy", wall=time.epoch))
    async with client_of(stage, time=time, timeout=5) as client:
        error = await failure(connections_of(client, grants).store(ADA), APITimeoutError)
        assert "still asking" in error.message
        assert not error.sent
    assert asked(stage) == []


def leased(grants: GrantStore, grant: Grant) -> None:
    """Put a grant of Ada's into a store."""
    rows = GrantRows(grants, SecretSeal([Secret(SECRET)], purpose=GRANT_PURPOSE), endpoint="")
    assert rows.swap(ADA, rows.read(ADA), grant)


class Refusing(MemoryGrantStore):
    """A store that never swaps."""

    def swap(self, *_: object, **__: object) -> bool:
        return False


class Broken(MemoryGrantStore):
    """A store that is down."""

    def get(self, name: str) -> bytes | None:
        message = "down"
        raise ConnectionError(message)


async def test_a_store_that_cannot_be_read_is_not_taken_for_an_empty_one(stage: Stage) -> None:
    async with client_of(stage) as client:
        connections = connections_of(client, Broken())
        for call in (connections.store, connections.status, connections.begin, connections.disconnect):
            await failure(call(ADA), ConnectionError)
    assert stage.local.journal.entries() == []


async def test_a_store_that_never_swaps_is_told_so(stage: Stage) -> None:
    async with client_of(stage) as client:
        error = await failure(connections_of(client, Refusing()).begin(ADA), ConfigurationError)
        assert "its swap must answer True" in error.message


# --- handles ---------------------------------------------------------------------------------------


async def test_closing_one_store_leaves_another_of_the_same_user_open(stage: Stage) -> None:
    async with client_of(stage) as client:
        connections = connections_of(client)
        one = await linked(stage, connections)
        other = await connections.store(ADA)
        one.close()
        one.close()
        await failure(one.create("text"), ClientClosedError)
        await other.create("text")
        assert (await connections.store(ADA)).key_version == 1


async def test_making_room_for_others_leaves_an_open_store_alone(stage: Stage) -> None:
    async with client_of(stage) as client:
        connections = connections_of(client, max_open=1)
        one = await linked(stage, connections)
        await connections.link(BOB, stage.user.memory_key)
        await connections.store(BOB)
        await one.create("text")
        assert len(stage.local.journal.entries("getAccessCredentials")) >= 2


async def test_revocation_ends_every_store_of_the_user(stage: Stage) -> None:
    async with client_of(stage) as client:
        connections = connections_of(client)
        one = await linked(stage, connections)
        other = await connections.store(ADA)
        await one.create("text")
        stage.local.revoke(asked(stage)[0].id)
        await failure(one.create("text"), AccessRevoked)
        before = len(stage.local.journal.entries())
        await failure(other.create("text"), AccessRevoked)
        assert len(stage.local.journal.entries()) == before
        await failure(connections.store(ADA), AccessRevoked)
        assert (await connections.status(ADA)).state == "revoked"

        status = await connections.link(ADA, stage.user.memory_key)
        assert status.state == "pending"
        approve(stage)
        await (await connections.store(ADA)).create("text")
        await failure(other.create("text"), AccessRevoked)


async def test_keys_that_are_too_old_are_fetched_again(stage: Stage) -> None:
    async with client_of(stage) as client:
        connections = connections_of(client, max_age=1e-6)
        await linked(stage, connections)
        before = len(stage.local.journal.entries("getAccessCredentials"))
        await connections.store(ADA)
        assert len(stage.local.journal.entries("getAccessCredentials")) == before + 1


async def test_closing_the_connections_closes_the_stores_and_keeps_the_grants(stage: Stage) -> None:
    async with client_of(stage) as client:
        connections = connections_of(client)
        store = await linked(stage, connections)
        connections.close()
        await failure(store.create("text"), ClientClosedError)
        await (await connections.store(ADA)).create("text")


# --- forgetting ------------------------------------------------------------------------------------


async def test_disconnecting_forgets_and_says_what_stays(stage: Stage) -> None:
    async with client_of(stage) as client:
        connections = connections_of(client)
        assert await connections.disconnect(ADA) == Disconnected(
            was_linked=False, message="Nothing of this user is kept here any more."
        )
        pending = await connections.begin(ADA)
        store = await linked(stage, connections)
        gone = await connections.disconnect(ADA)
        assert (gone.was_linked, gone.request_id, gone.url) == (True, asked(stage)[0].id, DASHBOARD)
        assert f"only the user can take the access back, at {DASHBOARD}" in gone.message
        await failure(store.create("text"), ClientClosedError)
        assert (await failure(connections.store(ADA), ApprovalRequired)).kind == "link"
        await failure(connections.complete(ADA, consent(stage, pending)), OAuthFlowError)
    assert asked(stage)[0].status == "approved"


# --- seals -----------------------------------------------------------------------------------------


async def test_secrets_and_the_api_key_are_rolled_without_losing_anybody(stage: Stage) -> None:
    grants = MemoryGrantStore()
    new = "another secret of the application's own"
    async with client_of(stage) as client:
        await linked(stage, connections_of(client, grants))
    rolled = stage.local.register_app(name="Planner again", redirect_uris=[BACK])
    async with client_of(stage, secret=[new, SECRET]) as client:
        connections = connections_of(client, grants)
        await connections.store(ADA)
        await connections.link(ADA, stage.user.memory_key)  # which seals it anew
    async with client_of(stage, secret=new, api_key=rolled.api_key) as client:
        assert (await connections_of(client, grants).tokens(ADA)) is None
    async with client_of(stage, secret=SECRET) as client:
        error = await failure(connections_of(client, grants).store(ADA), ConfigurationError)
        assert "sealed with another secret" in error.message


async def test_a_row_that_was_moved_to_another_user_does_not_open(stage: Stage) -> None:
    grants = MemoryGrantStore()
    async with client_of(stage) as client:
        connections = connections_of(client, grants)
        await linked(stage, connections)
        rows: dict[str, Any] = vars(grants)["_values"]
        (name,) = [name for name in rows if name.startswith("grant-")]
        await connections.link(BOB, stage.user.memory_key)
        (other,) = [each for each in rows if each.startswith("grant-") and each != name]
        rows[other] = rows[name]
        await failure(connections.store(BOB), ConfigurationError)
        await failure(connections.status(BOB), ConfigurationError)
        assert (await connections.disconnect(BOB)).was_linked
        assert (await connections.status(BOB)).state == "not_linked"


async def test_grants_hold_tokens_and_never_the_encryption_key(stage: Stage) -> None:
    grants = MemoryGrantStore()
    async with client_of(stage) as client:
        connections = connections_of(client, grants)
        await connections.complete(ADA, consent(stage, await connections.begin(ADA)))
        tokens = await connections.tokens(ADA)
        assert tokens.memory_key.reveal() == stage.user.memory_key
        assert tokens.refresh_token is not None
        assert await connections.tokens(BOB) is None
        held = b"".join(value for value, _ in vars(grants)["_values"].values())
        for secret in (stage.user.memory_key, ADA, tokens.access_token.reveal()):
            assert secret.encode() not in held


# --- arguments -------------------------------------------------------------------------------------


@pytest.mark.parametrize("user", ["", None, 7, "a" * 1025, "\ud800"])
@pytest.mark.parametrize("method", ["begin", "status", "store", "disconnect", "tokens", "complete", "link"])
async def test_what_is_no_user_id_is_refused_everywhere(stage: Stage, method: str, user: object) -> None:
    arguments = {"complete": ["code=1&state=2"], "link": ["mk_1"]}.get(method, [])
    async with client_of(stage) as client:
        await failure(getattr(connections_of(client), method)(user, *arguments), InvalidArgumentError)
    assert stage.local.journal.entries() == []


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"redirect_uri": "nowhere"}, InvalidArgumentError),
        ({"reason": ""}, InvalidArgumentError),
        ({"secret": "short"}, ConfigurationError),
        ({"link_url": "nowhere"}, ConfigurationError),
        ({"max_open": 0}, InvalidArgumentError),
        ({"max_age": 0}, InvalidArgumentError),
        ({"store_options": 1}, InvalidArgumentError),
        ({"grants": object()}, ConfigurationError),
    ],
)
async def test_connections_that_cannot_be_made_say_why(
    stage: Stage, options: dict[str, Any], error: type[Exception]
) -> None:
    async with client_of(stage) as client:
        with pytest.raises(error):
            connections_of(client, **options)


async def test_without_a_secret_there_are_no_connections(stage: Stage) -> None:
    async with client_of(stage, secret=None) as client:
        with pytest.raises(ConfigurationError, match="MEMORAM_SECRET"):
            connections_of(client)
