"""What developers and CI run: `nox -l` lists the sessions."""

from __future__ import annotations

import nox

nox.needs_version = ">=2025.5.1"
nox.options.sessions = ["lint", "typing", "sync-check", "tests"]
nox.options.reuse_existing_virtualenvs = True

PROJECT = nox.project.load_toml("pyproject.toml")
PURE_FLOORS = "memoram_async/core/*,memoram_async/crypto/*,memoram_async/models/*"


def groups(*names: str) -> tuple[str, ...]:
    """The requirements of dependency groups; pip itself learnt to read them only lately."""
    return nox.project.dependency_groups(PROJECT, *names)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the test suite; arguments go to pytest and turn the coverage gate off."""
    session.install("-e", ".[local]", *groups("tests"))
    if session.posargs:
        session.run("pytest", *session.posargs)
        return
    session.run("pytest", "-n", "auto", "--cov", "--cov-report=")
    session.run("coverage", "report", f"--include={PURE_FLOORS}", "--fail-under=100")
    session.run("coverage", "report", "--skip-covered", "--fail-under=0")


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and format."""
    session.install(*groups("lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def typing(session: nox.Session) -> None:
    """Check types with mypy and pyright, both strict."""
    session.install("-e", ".[local]", *groups("typing"))
    session.run("mypy")
    session.run("pyright")


@nox.session
def sync(session: nox.Session) -> None:
    """Write memoram_sync from the async sources."""
    session.install(*groups("sync"))
    session.run("python", "tools/gen_sync.py")


@nox.session(name="sync-check")
def sync_check(session: nox.Session) -> None:
    """Fail when memoram_sync is not what the async sources say; touches nothing."""
    session.install(*groups("sync"))
    session.run("python", "tools/gen_sync.py", "--check")


@nox.session
def demo(session: nox.Session) -> None:
    """Run the demo against the embedded platform."""
    session.install(".[local]")
    session.run("python", "-m", "memoram_local", "demo", *session.posargs)


@nox.session
def wheel(session: nox.Session) -> None:
    """Build the wheel, and use it where nothing else is installed."""
    session.install("build")
    out = session.create_tmp()
    session.run("python", "-m", "build", "--wheel", "--outdir", out)
    session.install("--force-reinstall", "--no-index", "--no-deps", "--find-links", out, "memoram")
    session.install("memoram", "--find-links", out)
    session.chdir(out)
    session.run("python", "-I", "-W", "error", "-c", WHEEL_CHECK)


WHEEL_CHECK = """
import importlib.resources as resources, importlib.metadata as metadata
import memoram_async, memoram_sync, memoram_local
for package in ("memoram_async", "memoram_sync", "memoram_local"):
    assert resources.files(package).joinpath("py.typed").is_file(), package
    assert "site-packages" in str(resources.files(package)), package
print("memoram", metadata.version("memoram"), "imports from its wheel and carries its types")
"""


@nox.session
def bench(session: nox.Session) -> None:
    """Measure, as ratios in interleaved rounds; see benchmarks/README.md."""
    session.install("-e", ".[local]", *groups("bench"))
    session.run("python", "benchmarks/run.py", *session.posargs)
