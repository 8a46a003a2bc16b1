"""The generator sees every difference, touches nothing when it checks, and refuses what it does not know."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import attrs
import pytest

from tools import gen_sync
from tools.mirror.refusal import Refusal

REPOSITORY: Final = Path(__file__).resolve().parents[2]
GENERATOR: Final = REPOSITORY / "tools" / "gen_sync.py"
ENOUGH: Final = (
    "memoram_async/transport/pager.py",
    "memoram_async/resources/__init__.py",
    "memoram_async/resources/tags.py",
    "memoram_sync/py.typed",
    "memoram_sync/runtime/blocking_runtime.py",
)
"""Files of ours that are mirrored without the others, and those beside the mirror that nobody generates."""
EXPORTS: Final = '''"""So much of the SDK."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memoram_async.models.tags import Tag as Tag
    from memoram_async.resources.tags import AsyncTags as AsyncTags
    from memoram_async.transport.pager import AsyncPager as AsyncPager
else:
    from memoram_async._homes import HOMES
    from memoram_async._lazy import lazily

    __all__, __getattr__, __dir__ = lazily(globals(), HOMES)
'''


@attrs.frozen
class Done:
    """How a run of the generator ended."""

    status: int
    said: str


def generate(root: Path, *options: str) -> Done:
    """Run the generator on a tree."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as errors:
        status = gen_sync.main(["--root", str(root), *options])
    return Done(status, errors.getvalue())


def script(root: Path, *options: str, seed: str = "0") -> Done:
    """The same in a process of its own, as CI does it."""
    done = subprocess.run(  # noqa: S603 - our own words
        (sys.executable, "-B", str(GENERATOR), "--root", str(root), *options),
        capture_output=True,
        encoding="utf-8",
        check=False,
        env={**os.environ, "PYTHONHASHSEED": seed},
    )
    return Done(done.returncode, done.stderr)


def contents(root: Path) -> dict[str, bytes]:
    """Every file of a tree."""
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small part of both packages, the mirror freshly written."""
    root = tmp_path_factory.mktemp("template")
    for path in ENOUGH:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / path, root / path)
    (root / "memoram_async/__init__.py").write_text(EXPORTS)
    assert generate(root) == Done(0, "")
    return root


@pytest.fixture
def tree(template: Path, tmp_path: Path) -> Path:
    """A copy of both packages, to be spoilt."""
    return shutil.copytree(template, tmp_path / "tree")


def extend(tree: Path, text: str, path: str = "memoram_async/resources/tags.py") -> None:
    """Append to a source; indented text goes on with its last class."""
    with (tree / path).open("a", encoding="utf-8") as file:
        file.write(text)


@pytest.mark.parametrize("seed", ["1", "2"])
def test_the_mirror_of_this_repository_is_up_to_date_whatever_the_hash_seed(seed: str) -> None:
    assert script(REPOSITORY, "--check", seed=seed) == Done(0, "")


def test_checking_touches_nothing(tree: Path) -> None:
    extend(tree, "\n    async def more(self) -> None:\n        pass\n")
    before = contents(tree)
    assert script(tree, "--check") == Done(1, "stale: memoram_sync/resources/tags.py\n")
    assert contents(tree) == before


def test_checking_finds_a_source_that_has_changed(tree: Path) -> None:
    extend(tree, '\n    async def more(self) -> None:\n        """More."""\n')
    assert generate(tree, "--check") == Done(1, "stale: memoram_sync/resources/tags.py\n")


@pytest.mark.parametrize("planted", ["\n# by hand\n", " ", "\nimport os\n"])
def test_checking_finds_an_edit(tree: Path, planted: str) -> None:
    extend(tree, planted, "memoram_sync/transport/pager.py")
    assert generate(tree, "--check") == Done(1, "stale: memoram_sync/transport/pager.py\n")


@pytest.mark.parametrize("extra", ["memoram_sync/extra.py", "memoram_sync/resources/extra.txt"])
def test_checking_finds_a_file_that_nothing_stands_behind(tree: Path, extra: str) -> None:
    (tree / extra).write_text("")
    assert generate(tree, "--check") == Done(1, f"orphan: {extra}\n")


def test_both_packages_know_where_their_names_are_defined(template: Path) -> None:
    said = {
        path: (template / path).read_text() for path in ("memoram_async/_homes.py", "memoram_sync/_homes.py")
    }

    assert '"AsyncTags": "memoram_async.resources.tags"' in said["memoram_async/_homes.py"]
    assert '"Tags": "memoram_sync.resources.tags"' in said["memoram_sync/_homes.py"]
    assert all('"Tag": "memoram_async.models.tags"' in text for text in said.values())


def test_checking_finds_a_name_whose_home_is_not_told(tree: Path) -> None:
    exports = (tree / "memoram_async/__init__.py").read_text()
    line = "    from memoram_async.models.tags import Tag as Tag\n"
    (tree / "memoram_async/__init__.py").write_text(exports.replace(line, ""))
    assert generate(tree, "--check").said.splitlines() == [
        "stale: memoram_async/_homes.py",
        "stale: memoram_sync/__init__.py",
        "stale: memoram_sync/_homes.py",
    ]


def test_checking_finds_a_missing_file(tree: Path) -> None:
    (tree / "memoram_sync/resources/tags.py").unlink()
    assert generate(tree, "--check") == Done(1, "missing: memoram_sync/resources/tags.py\n")


def test_checking_names_every_fault(tree: Path) -> None:
    extend(tree, "#", "memoram_sync/transport/pager.py")
    (tree / "memoram_sync/__init__.py").unlink()
    (tree / "memoram_sync/extra.py").write_text("")
    assert generate(tree, "--check").said.splitlines() == [
        "missing: memoram_sync/__init__.py",
        "orphan: memoram_sync/extra.py",
        "stale: memoram_sync/transport/pager.py",
    ]


def test_writing_restores_the_mirror(tree: Path) -> None:
    whole = contents(tree)
    extend(tree, "#", "memoram_sync/transport/pager.py")
    (tree / "memoram_sync/__init__.py").unlink()
    assert generate(tree) == Done(0, "")
    assert contents(tree) == whole


def test_writing_deletes_the_mirror_of_a_source_that_is_gone(tree: Path) -> None:
    shutil.copy(tree / "memoram_sync/transport/pager.py", tree / "memoram_sync/resources/gone.py")
    assert generate(tree) == Done(0, "")
    assert not (tree / "memoram_sync/resources/gone.py").exists()


def test_writing_leaves_what_it_did_not_write_and_says_so(tree: Path) -> None:
    (tree / "memoram_sync/extra.py").write_text("mine = True\n")
    assert generate(tree) == Done(1, "orphan: memoram_sync/extra.py\n")
    assert (tree / "memoram_sync/extra.py").read_text() == "mine = True\n"


SAMPLE: Final = '''

class AsyncSample(Generic[T]):
    """A sample of what can be mirrored.

    In code:

        async with AsyncSample() as sample:
            await sample.find("x")
    """

    def __init__(self, inner: T) -> None:
        self._inner = inner

    @classmethod
    def of(cls, inner: T) -> Self:
        """Make one."""
        return cls(inner)

    @property
    def other(self) -> AsyncTags:
        """Another."""
        raise NotImplementedError

    @overload
    async def find(self, key: str, /) -> T: ...
    @overload
    async def find(self, key: str, /, *extra: T, **more: T) -> tuple[T, ...]: ...
    async def find(self, key: str, /, *extra: T, **more: T) -> T | tuple[T, ...]:
        """Find some; `AsyncTags` has all, and `aclose` ends it."""
        raise NotImplementedError

    async def keep(self, content: str, limit: int = LIMIT, *, only: T | None = None) -> AsyncSample[T]:
        raise NotImplementedError

    def _hidden(self) -> AsyncIterator[T]:
        raise NotImplementedError

    async def aclose(self) -> None:
        pass
'''
MIRRORED_SAMPLE: Final = '''
class Sample(Generic[T]):
    """A sample of what can be mirrored.

    In code:

        with Sample() as sample:
            sample.find("x")
    """

    def __init__(self, wrapped: AsyncSample[T]) -> None:
        self._async = wrapped

    @classmethod
    def of(cls, inner: T) -> Self:
        """Make one."""
        return cls(AsyncSample.of(inner))

    @property
    def other(self) -> Tags:
        """Another."""
        return Tags(self._async.other)

    @overload
    def find(self, key: str, /) -> T: ...

    @overload
    def find(self, key: str, /, *extra: T, **more: T) -> tuple[T, ...]: ...

    def find(self, key: str, /, *extra: T, **more: T) -> T | tuple[T, ...]:
        """Find some; `Tags` has all, and `close` ends it."""
        return run(self._async.find(key, *extra, **more))

    def keep(self, content: str, limit: int = LIMIT, *, only: T | None = None) -> Sample[T]:
        coroutine = self._async.keep(content, limit, only=only)
        del content
        return Sample(run(coroutine))

    def close(self) -> None:
        run(self._async.aclose())
'''


def test_every_known_form_is_mirrored(tree: Path) -> None:
    source = tree / "memoram_async/resources/tags.py"
    source.write_text(
        source.read_text()
        .replace("\nfrom", "\nfrom typing import Final, Generic, Self, TypeVar, overload\nfrom", 1)
        .replace("\n\nclass", '\nT = TypeVar("T")\nLIMIT: Final = 3\n\n\nclass')
        + SAMPLE
    )
    assert generate(tree) == Done(0, "")
    mirror = (tree / "memoram_sync/resources/tags.py").read_text()
    assert mirror[mirror.index("\nclass Sample") :] == MIRRORED_SAMPLE
    assert '\nT = TypeVar("T")\n' in mirror
    assert "\nfrom memoram_async.resources.tags import LIMIT, AsyncSample, AsyncTags\n" in mirror


REFUSED: Final = [
    (
        "async generator",
        "    async def walk(self) -> AsyncIterator[Tag]:\n        yield 1\n",
        "is an async generator",
    ),
    ("generator", "    def walk(self) -> Iterator[Tag]:\n        yield 1\n", "is a generator"),
    ("async iterator", "    def walk(self) -> AsyncIterator[Tag]:\n        pass\n", "AsyncIterator has no"),
    ("awaitable", "    def later(self) -> Awaitable[Tag]:\n        pass\n", "Awaitable has no blocking twin"),
    (
        "async callback",
        "    def on(self, hook: Callable[[], Coroutine[Any, Any, None]]) -> None:\n        pass\n",
        "Coroutine",
    ),
    (
        "unknown class",
        "    async def more(self) -> AsyncThing:\n        pass\n",
        "AsyncThing has no blocking twin",
    ),
    (
        "wrapped result",
        "    async def all(self) -> list[AsyncTags]:\n        pass\n",
        "no form for the result",
    ),
    (
        "wrapped parameter",
        "    async def add(self, other: AsyncTags) -> None:\n        pass\n",
        "parameter other",
    ),
    ("bare parameter", "    async def add(self, other) -> None:\n        pass\n", "other must be annotated"),
    ("bare result", "    async def add(self):\n        pass\n", "must be annotated"),
    ("decorator", "    @staticmethod\n    def make() -> None:\n        pass\n", "decorator staticmethod"),
    ("setter", "    @thing.setter\n    def thing(self, it: int) -> None:\n        pass\n", "thing.setter"),
    ("async property", "    @property\n    async def it(self) -> int:\n        pass\n", "a property cannot"),
    ("special method", "    def __len__(self) -> int:\n        return 1\n", "__len__ has no blocking twin"),
    (
        "clash",
        "    def close(self) -> None:\n        pass\n    async def aclose(self) -> None:\n        pass\n",
        "both be called close",
    ),
    ("hiding", "    async def go(self, run: bool) -> None:\n        pass\n", "hides a name"),
    ("class variable", "    limit = 3\n", "no form for `limit = 3`"),
    ("attribute", "    limit: int\n", "no form for `limit: int`"),
    (
        "HTTP client",
        "    def go(self, *, http_client: AsyncHTTPClient) -> None:\n        pass\n",
        "needs a runtime",
    ),
    ("unknown name", "    def go(self, thing: Thing) -> None:\n        pass\n", "where Thing comes from"),
    ("loop in words", '    def go(self) -> None:\n        """In the event\n        loop."""\n', "still says"),
    ("await in words", '    def go(self) -> None:\n        """Awaitable."""\n', "still says 'Awaitable'"),
    ("function", "\ndef more() -> None:\n    pass\n", "a public function"),
    ("class", "\nclass Plain:\n    pass\n", "is called Async..."),
    ("inheritance", "\nclass AsyncMore(AsyncTags):\n    pass\n", "no form for inheritance"),
    ("decorated class", "\n@final\nclass AsyncMore:\n    pass\n", "no form for a decorated class"),
    ("statement", "\nfor each in ():\n    pass\n", "no form for the statement `for each in ():`"),
    ("relative import", "\nfrom . import oauth\n", "no form for `from . import oauth`"),
]


@pytest.mark.parametrize(("text", "reason"), [pytest.param(*each[1:], id=each[0]) for each in REFUSED])
def test_what_has_no_form_is_refused_by_name(tree: Path, text: str, reason: str) -> None:
    extend(tree, f"\n{text}")
    with pytest.raises(Refusal, match=re.escape(reason)) as caught:
        gen_sync.generate(tree)
    assert str(caught.value).startswith("memoram_async.resources.tags")


def test_a_refusal_is_a_message_and_leaves_the_tree_alone(tree: Path) -> None:
    extend(tree, "\n    async def walk(self) -> AsyncIterator[Tag]:\n        yield 1\n")
    before = contents(tree)
    done = generate(tree)
    assert done.status == 2
    assert done.said.startswith(
        "cannot mirror memoram_async.resources.tags.AsyncTags.walk is an async generator"
    )
    assert contents(tree) == before


def test_exporting_an_async_class_that_is_not_mirrored_is_refused(tree: Path) -> None:
    extend(tree, "from memoram_async.more import AsyncMore as AsyncMore\n", "memoram_async/__init__.py")
    with pytest.raises(Refusal, match="AsyncMore has no blocking twin"):
        gen_sync.generate(tree)


def test_a_package_that_defines_something_is_refused(tree: Path) -> None:
    extend(tree, "answer = 42\n", "memoram_async/__init__.py")
    with pytest.raises(Refusal, match="defines nothing itself"):
        gen_sync.generate(tree)


PAGES: Final = '''"""Pages."""

from __future__ import annotations

from memoram_async.models.tags import Tag


class AsyncPages:
    """The pages of a book."""

    async def get(self, number: int) -> Tag:
        """One page."""
        return await self._requester.send(number)
'''
BOOKS: Final = '''"""Books."""

from __future__ import annotations

from memoram_async._lazy import resource
from memoram_async.memory_api.resources.pages import AsyncPages


class AsyncBooks:
    """Books, which have pages."""

    @resource
    def pages(self) -> AsyncPages:
        """Their pages."""
        return AsyncPages()
'''
MIRRORED_BOOKS: Final = '''
class Books:
    """Books, which have pages."""

    def __init__(self, wrapped: AsyncBooks) -> None:
        self._async = wrapped

    @resource
    def pages(self) -> Pages:
        """Their pages."""
        return Pages(self._async.pages)
'''


@pytest.fixture
def nested(tree: Path) -> Path:
    """The folder of the second service's resources, one of which hands out another."""
    folder = tree / "memoram_async/memory_api/resources"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text('"""What the second service has."""\n')
    (folder / "pages.py").write_text(PAGES)
    (folder / "books.py").write_text(BOOKS)
    return folder


def test_a_resource_of_a_resource_is_mirrored_in_its_own_folder(tree: Path, nested: Path) -> None:
    assert generate(tree) == Done(0, "")
    mirror = (tree / "memoram_sync/memory_api/resources/books.py").read_text()
    assert mirror[mirror.index("\nclass Books") :] == MIRRORED_BOOKS
    assert "from memoram_sync.memory_api.resources.pages import Pages\n" in mirror
    assert generate(tree, "--check") == Done(0, "")
    (nested / "books.py").unlink()
    assert generate(tree, "--check") == Done(1, "orphan: memoram_sync/memory_api/resources/books.py\n")


def test_a_resource_of_a_resource_must_have_a_twin(tree: Path, nested: Path) -> None:
    books = nested / "books.py"
    books.write_text(books.read_text().replace("AsyncPages", "AsyncShelves"))
    done = generate(tree)
    assert done.status == 2
    assert "memory_api.resources.books.AsyncBooks.pages: AsyncShelves has no blocking twin" in done.said
