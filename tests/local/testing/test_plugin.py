"""The plugin as pytest loads it in an application's own tests, each run a process of its own."""

from __future__ import annotations

import tomllib
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from memoram_async import AsyncMemoram
    from memoram_local import LocalServer, MemoramLocal, RegisteredApp, User
    from memoram_sync import Memoram

ROOT = Path(__file__).parents[3]

ISOLATED = """
    import pytest

    @pytest.mark.parametrize("number", range(6))
    def test_nobody_was_here_before(number, memoram_local, memoram_app, memoram_user, memoram_sync_client):
        assert memoram_local.access_requests() == []
        assert len(memoram_local.journal) == 0
        memoram_sync_client.access_requests.create(memoram_user.memory_key, reason="Plans journeys")
        assert len(memoram_local.access_requests()) == 1

    @pytest.mark.anyio
    @pytest.mark.parametrize("number", range(3))
    async def test_async_clients_work_alike(number, memoram_local, memoram_user, memoram_client):
        assert memoram_local.access_requests() == []
        await memoram_client.access_requests.create(memoram_user.memory_key, reason="Plans journeys")

    @pytest.mark.anyio
    async def test_so_do_those_of_memory_api(memory_api_client):
        assert await memory_api_client.memories.list().first_page()

    @pytest.mark.parametrize("number", range(2))
    def test_nobody_remembered_anything_before(number, memory_api_sync_client):
        assert list(memory_api_sync_client.memories.list()) == []
        memory_api_sync_client.memories.create("Prefers window seats")

    @pytest.fixture
    def anyio_backend():
        return "asyncio"
"""

UNUSED = """
    import sys

    def test_nothing_of_a_platform_is_loaded_that_nobody_asked_for():
        assert "memoram_local.testing.plugin" in sys.modules
        heavy = {"starlette", "sqlalchemy", "uvicorn", "jinja2", "httpx", "anyio", "memoram_async"}
        assert not heavy & set(sys.modules)
"""

LEFT_OUT = """
    import pytest

    def test_the_fixtures_are_not_there(request):
        with pytest.raises(pytest.FixtureLookupError):
            request.getfixturevalue("memoram_local")
"""

WITHOUT_EXTRA = """
    import sys

    def test_that_needs_a_platform(request, monkeypatch):
        monkeypatch.setitem(sys.modules, "sqlalchemy", None)
        request.getfixturevalue("memoram_local")
"""


@pytest.fixture
def installed(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A place where the distribution is installed, as far as pytest can tell."""
    paths = [str(ROOT)]
    if not entry_points(group="pytest11", name="memoram"):
        declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["pytest11"]
        lines = ["[pytest11]", *(f"{name} = {target}" for name, target in declared.items())]
        metadata = pytester.mkdir("site") / "memoram_as_declared-0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: memoram-as-declared\nVersion: 0\n")
        (metadata / "entry_points.txt").write_text("\n".join(lines))
        paths.append(str(metadata.parent))
    monkeypatch.setenv("PYTHONPATH", ":".join(paths))
    return pytester


def alone(*needed: str) -> list[str]:
    """Options that keep other plugins out, except those that are needed: some load for a second and more."""
    names = {plugin.name for plugin in entry_points(group="pytest11")} - {"memoram", *needed}
    return [option for name in sorted(names) for option in ("-p", f"no:{name}")]


def test_it_works_without_any_set_up_and_each_test_has_its_own_platform_in_every_worker(
    installed: pytest.Pytester,
) -> None:
    installed.makepyfile(ISOLATED)

    installed.runpytest_subprocess("-n", "2", *alone("xdist", "anyio")).assert_outcomes(passed=12)


IN_AUTO_MODE = """
    import pytest
    import pytest_asyncio

    async def test_the_fixtures_work_without_a_mark(memoram_user, memoram_client):
        await memoram_client.access_requests.create(memoram_user.memory_key, reason="Plans journeys")

    @pytest_asyncio.fixture(loop_scope="session", scope="session")
    async def access_request(memoram_session_user, memoram_session_client):
        return await memoram_session_client.access_requests.create(
            memoram_session_user.memory_key, reason="Plans journeys"
        )

    @pytest.mark.asyncio(loop_scope="session")
    @pytest.mark.parametrize("number", range(3))
    async def test_a_session_shares_what_it_set_up(number, memoram_session_client, access_request):
        found = [request.id async for request in memoram_session_client.access_requests.list()]
        assert found == [access_request.id]

    def test_so_do_other_loops_and_blocking_code(
        memoram_session_local, memoram_session_app, memoram_session_sync_client, memoram_local
    ):
        list(memoram_session_sync_client.access_requests.list())
        assert memoram_local is not memoram_session_local
"""

SESSION_OF_ANYIO = """
    import pytest

    @pytest.fixture(scope="session", params=["asyncio", "trio"])
    def anyio_backend(request):
        return request.param

    @pytest.fixture(scope="session")
    async def access_request(anyio_backend, memoram_session_user, memoram_session_client):
        return await memoram_session_client.access_requests.create(
            memoram_session_user.memory_key, reason="Plans journeys"
        )

    @pytest.mark.anyio
    @pytest.mark.parametrize("number", range(2))
    async def test_a_session_shares_what_it_set_up(number, memoram_session_client, access_request):
        assert (await memoram_session_client.access_requests.get(access_request.id)).status == "pending"
"""

SESSION_OPTIONS = """
    import pytest

    @pytest.fixture(scope="session")
    def memoram_session_options():
        return {"seed": 7}

    def test_it_is_made_as_it_was_asked_for(memoram_session_app, memoram_session_local):
        memoram_session_local.reset()
        again = memoram_session_local.register_app(
            name=memoram_session_app.name, redirect_uris=memoram_session_app.redirect_uris
        )
        assert again == memoram_session_app
"""


def test_they_work_beside_pytest_asyncio_in_auto_mode_and_in_a_loop_of_the_session(
    installed: pytest.Pytester,
) -> None:
    installed.makepyfile(IN_AUTO_MODE)
    options = ("--asyncio-mode=auto", "-o", "asyncio_default_fixture_loop_scope=function")

    result = installed.runpytest_subprocess("-W", "error", *options, *alone("asyncio", "anyio"))

    result.assert_outcomes(passed=5)


def test_they_work_in_a_loop_of_the_session_that_anyio_makes(installed: pytest.Pytester) -> None:
    installed.makepyfile(SESSION_OF_ANYIO)

    installed.runpytest_subprocess("-W", "error", *alone("anyio")).assert_outcomes(passed=4)


def test_the_platform_of_the_session_is_made_as_a_suite_asks(installed: pytest.Pytester) -> None:
    installed.makepyfile(SESSION_OPTIONS)

    installed.runpytest_subprocess(*alone()).assert_outcomes(passed=1)


def test_it_costs_those_nothing_who_do_not_use_it(installed: pytest.Pytester) -> None:
    installed.makepyfile(UNUSED)

    installed.runpytest_subprocess(*alone()).assert_outcomes(passed=1)


def test_it_can_be_left_out(installed: pytest.Pytester) -> None:
    installed.makepyfile(LEFT_OUT)

    installed.runpytest_subprocess("-p", "no:memoram", *alone()).assert_outcomes(passed=1)


def test_without_the_libraries_of_a_platform_it_says_what_to_install(installed: pytest.Pytester) -> None:
    installed.makepyfile(WITHOUT_EXTRA)

    result = installed.runpytest_subprocess(*alone())

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*needs memoram?local?*sqlalchemy*"])


def test_the_fixtures_belong_together(
    memoram_local: MemoramLocal,
    memoram_server: LocalServer,
    memoram_app: RegisteredApp,
    memoram_user: User,
    memoram_client: AsyncMemoram,
    memoram_sync_client: Memoram,
) -> None:
    request = memoram_sync_client.access_requests.create(memoram_user.memory_key, reason="Plans journeys")

    asked = memoram_local.access_requests(user_id=memoram_user.id)
    assert [(found.id, found.app_id) for found in asked] == [(request.id, memoram_app.id)]
    assert memoram_server.api_url in repr(memoram_sync_client)
    assert "localhost" in repr(memoram_client)


class TestOptions:
    """What a nearer fixture says."""

    @pytest.fixture
    def memoram_options(self) -> dict[str, object]:
        return {"seed": 7}

    def test_tests_choose_how_their_platform_is_made(
        self, memoram_app: RegisteredApp, memoram_local: MemoramLocal
    ) -> None:
        memoram_local.reset()
        again = memoram_local.register_app(name=memoram_app.name, redirect_uris=memoram_app.redirect_uris)

        assert again == memoram_app
