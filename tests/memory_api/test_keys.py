"""Which keys a client takes, from where, and what it says of the others."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import pytest

import memoram_sync
from memoram_async import AsyncMemoram, AsyncMemoryAPI, ConfigurationError, Secret
from memoram_async.memory_api import LiveKeyWarning
from tests.memory_api.answers import ACCOUNT, KEY, good
from tests.worlds import Service, failure

if TYPE_CHECKING:
    from tests.worlds import World

TEST_KEY = KEY.replace("live", "test")

both = pytest.mark.parametrize("kind", [AsyncMemoryAPI, memoram_sync.MemoryAPI])


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MEMORY_API_KEY", "MEMORY_API_ENVIRONMENT", "MEMORY_API_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@both
@pytest.mark.parametrize(
    ("key", "environment"), [(KEY, "live"), (TEST_KEY, "test"), (Secret(TEST_KEY), "test")]
)
def test_a_key_tells_its_environment(kind: Any, key: Any, environment: str) -> None:
    assert kind(key).environment == environment


@both
def test_settings_come_from_the_environment(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMORY_API_KEY", TEST_KEY)
    monkeypatch.setenv("MEMORY_API_BASE_URL", "https://memory.test/v2/")

    client = kind()

    assert client.environment == "test"
    assert "https://memory.test/v2>" in repr(client)


@both
def test_without_a_key_the_environment_is_what_was_meant(kind: Any) -> None:
    assert kind().environment is None
    assert kind(environment="test").environment == "test"


@both
@pytest.mark.parametrize(
    ("key", "word"),
    [
        ("mem_" + "0" * 48, "Memoram"),
        ("sk_live_0000", "mem_live_"),
        ("mem_live_", "mem_live_"),
        ("mem_prod_0000", "Memoram"),
        (f"{KEY}\n", "newline"),
        (f" {KEY}", "white space"),
        (f"{KEY}ü", "non-ASCII"),
        (KEY.encode(), "bytes"),
        (5, "int"),
    ],
)
def test_a_key_of_another_form_is_refused_and_named(kind: Any, key: Any, word: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        kind(key)
    assert word in str(caught.value)
    assert "0000" not in str(caught.value)


@pytest.mark.parametrize("kind", [AsyncMemoram, memoram_sync.Memoram])
@pytest.mark.parametrize("key", [KEY, TEST_KEY])
def test_the_other_client_names_a_key_of_this_service(kind: Any, key: str) -> None:
    with pytest.raises(ConfigurationError, match="AsyncMemoryAPI") as caught:
        kind(key)
    assert key not in str(caught.value)


@both
@pytest.mark.parametrize(
    "options",
    [
        {"environment": "staging"},
        {"auth_header": "cookie"},
        {"base_url": "http://memory.test"},
        {"base_url": "x"},
    ],
)
def test_a_setting_that_cannot_be_is_refused(kind: Any, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        kind(KEY, **options)


@both
def test_an_environment_variable_that_cannot_be_is_named(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMORY_API_ENVIRONMENT", "staging")

    with pytest.raises(ConfigurationError, match="MEMORY_API_ENVIRONMENT"):
        kind(KEY)


@both
@pytest.mark.parametrize("by_variable", [True, False])
def test_a_live_key_in_the_sandbox_is_warned_of_once(
    kind: Any, by_variable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if by_variable:
        monkeypatch.setenv("MEMORY_API_ENVIRONMENT", "test")
    with pytest.warns(LiveKeyWarning, match="mem_test_") as warned:
        kind(KEY, **({} if by_variable else {"environment": "test"})).with_options(timeout=1)

    assert len(warned) == 1
    assert KEY not in str(warned[0].message)


@both
@pytest.mark.parametrize("options", [{"environment": "live"}, {}])
def test_nothing_else_is_warned_of(kind: Any, options: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kind(KEY, **options)
        kind(TEST_KEY, environment="test")


@pytest.mark.anyio
async def test_a_missing_key_is_an_error_of_the_first_call_that_needs_one(world: World) -> None:
    service = Service.answering(good(ACCOUNT))
    async with world.memory_api(service, api_key=None) as api:
        await api.health()
        error = await failure(api.account.get(), ConfigurationError)

    assert "MEMORY_API_KEY" in str(error)
    assert [request.url.path for request in service.requests] == ["/v1/health"]


@pytest.mark.anyio
async def test_a_client_shows_no_key(world: World) -> None:
    async with world.memory_api(Service.answering(good(ACCOUNT))) as api:
        assert KEY not in repr(api)
        assert repr(api).endswith("MemoryAPI of https://memory.test/v1>")
