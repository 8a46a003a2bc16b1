"""What developers and CI run: `nox -l` lists the sessions."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2025.5.1"
nox.options.sessions = ["lint", "typing", "sync-check", "tests"]
nox.options.reuse_existing_virtualenvs = True

PROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PROJECT)
FLOOR = PYTHONS[0]
PURE_FLOORS = "memoram_async/core/*,memoram_async/crypto/*,memoram_async/models/*"

# Tests last from a millisecond to seconds: whoever is done takes over what another has not begun.
IN_PARALLEL = ("-n", "auto", "--dist", "worksteal")
# A quick answer leaves out what needs other programs, and what repeats one thing for long.
QUICK = ("-m", "not endurance and not service", "--ignore=tests/outside", "--hypothesis-profile=core")


def find_pyenv_interpreters() -> None:
    """Put pyenv's interpreters on the path; its own commands answer only for the version switched on."""
    versions = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    for python in PYTHONS:
        patches = [path.name.rpartition(".")[2] for path in versions.glob(f"{python}.*")]
        newest = max((int(patch) for patch in patches if patch.isdecimal()), default=None)
        if newest is not None:
            os.environ["PATH"] += f"{os.pathsep}{versions / f'{python}.{newest}' / 'bin'}"


find_pyenv_interpreters()


def groups(*names: str) -> tuple[str, ...]:
    """The requirements of dependency groups; pip itself learnt to read them only lately."""
    return nox.project.dependency_groups(PROJECT, *names)


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the tests: on the oldest Python all of them with the coverage gate, on newer ones the core suite.

    Arguments go to pytest in place of these choices. A Python that is not installed is skipped, and is an
    error in CI.
    """
    session.install("-e", ".[local]", *groups("tests"))
    if session.posargs:
        session.run("pytest", *session.posargs)
        return
    # Without environments of its own (--no-venv), nox knows no Python but the one that runs it.
    if session.python not in {FLOOR, False}:
        session.run("pytest", *IN_PARALLEL, *QUICK)
        return
    session.run("pytest", *IN_PARALLEL, "--cov", "--cov-report=")
    session.run("coverage", "report", f"--include={PURE_FLOORS}", "--fail-under=100")
    session.run("coverage", "report", "--skip-covered", "--fail-under=0")


@nox.session
def plain(session: nox.Session) -> None:
    """Run the tests of reading as if the packages of memoram[fast] were not installed."""
    session.install("-e", ".[local]", *groups("tests"))
    rooms = ("tests/crypto", "tests/models", "tests/keys", "tests/wire/test_store_reading.py", "tests/flows")
    session.run("pytest", *IN_PARALLEL, "-p", "tests.without_fast", *rooms, *session.posargs)


@nox.session
def core(session: nox.Session) -> None:
    """Run the core suite, for a quick answer: what needs other programs or long repetition is left out."""
    session.install("-e", ".[local]", *groups("tests"))
    session.run("pytest", *IN_PARALLEL, *QUICK, *session.posargs)


@nox.session(python=FLOOR)
def lowest(session: nox.Session) -> None:
    """Run the core suite with the lowest versions that pyproject.toml allows, on the oldest Python."""
    # uv resolves to the lowest versions, which pip cannot do. The tests' own tools are new.
    session.install("uv")
    python = f"--python={session.virtualenv.location}"
    # Not in a temporary folder of nox's: pytest would have tests write there, where they find the project's
    # own settings.
    lowest = str(Path(session.virtualenv.location) / "lowest.txt")
    # Without what those require in turn: its newest versions would stand in the way of the tests' own tools.
    how = ("--all-extras", "--no-deps", "--resolution=lowest-direct")
    resolve = ("uv", "pip", "compile", "--quiet", "--upgrade", python, *how)
    session.run_install(*resolve, "pyproject.toml", f"--output-file={lowest}")
    install = ("uv", "pip", "install", "--quiet", python, f"--constraint={lowest}")
    session.run_install(*install, "-e", ".[local,otel,redis]", *groups("tests"))
    session.run("pytest", *IN_PARALLEL, *QUICK, *session.posargs)


@nox.session(python=FLOOR)
def mutants(session: nox.Session) -> None:
    """Measure the tests of core and crypto: change the code in small ways, and see whether a test notices.

    It takes an hour or more, and goes on where it was stopped. Arguments are names of mutants, such as
    "memoram_async.core.retry*"; what is let live, and why, stands in tests/mutants.toml.
    """
    session.install("-e", ".[local]", *groups("tests", "mutants"))
    session.run("mutmut", "run", *session.posargs)
    session.run("python", "tools/mutants.py")


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
def gates(session: nox.Session) -> None:
    """Show that each gate can fail, by planting what it guards against."""
    session.install("-e", ".[local]", *groups("typing"))
    session.run("pytest", "-n", "auto", "-q", "tests/gates/ci_gates.py", *session.posargs)


@nox.session
def tools(session: nox.Session) -> None:
    """Make tools and validated calls of a store's methods, as frameworks do, and use them."""
    session.install("-e", ".[local]", *groups("frameworks"))
    alone = "--confcutdir=tests/frameworks"  # what the other tests share needs more than is here
    session.run("pytest", "-q", alone, "tests/frameworks/made_of_methods.py", *session.posargs)


@nox.session
def demo(session: nox.Session) -> None:
    """Run the demo against the embedded platform."""
    session.install(".[local]")
    session.run("python", "-m", "memoram_local", "demo", *session.posargs)


@nox.session
def wheel(session: nox.Session) -> None:
    """Build the distributions, and use the wheel in an environment that holds nothing else."""
    session.install("build")
    out = Path(session.create_tmp()).resolve()
    shutil.rmtree(out)
    # The wheel is built from the source distribution, so both are put to the test.
    session.run("python", "-m", "build", "--outdir", str(out / "dist"))
    (built,) = (out / "dist").glob("*.whl")
    session.run("python", "tests/wheel/contents.py", str(built), ".")
    session.run("python", "-m", "venv", str(out / "empty"))
    python = str(out / "empty" / ("Scripts" if os.name == "nt" else "bin") / "python")
    session.run(python, "-m", "pip", "install", "--quiet", str(built), external=True)
    session.run(python, "-I", "-W", "error", "tests/wheel/installed.py", external=True)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure, as ratios in interleaved rounds; see benchmarks/README.md."""
    session.install("-e", ".[local]", *groups("bench"))
    session.run("python", "benchmarks/run.py", *session.posargs)
    session.run("python", "-m", "benchmarks.calls")
