"""The command line: `memoram-local serve`, `demo` and `rotate-master-key`."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import signal
import sys
import threading
from contextlib import ExitStack
from dataclasses import fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memoram_local.errors import LocalPlatformError
from memoram_local.limits import Limits
from memoram_local.master_keys import VARIABLE, MasterKeyCommand, MasterKeyFile, default_source
from memoram_local.platform import MemoramLocal
from memoram_local.process.interpreter import dedicate
from memoram_local.store.database import rotate_master_key

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from memoram_local.controls.seed import Seeded
    from memoram_local.master_keys import MasterKeySource
    from memoram_local.process.server import LocalServer

DEFAULT_PORT = 8765
DEFAULT_DATA = "memoram-local-data"

_HIGHEST_PORT = 65535
# Waiting in steps lets Ctrl-C through where a wait without end would not, as on Windows.
_STEP_SECONDS = 0.5


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: The arguments after the program's name; the process's own by default.

    Returns:
        The exit status: 0 when all went well, 1 when the address or the data cannot be used; argparse exits
        with 2 for arguments that make no sense.
    """
    arguments = _parser().parse_args(argv)
    if arguments.command == "demo":
        demo = importlib.import_module("memoram_local.demo")
        status: int | None = demo.main(arguments)
        return status or 0
    try:
        if arguments.command == "rotate-master-key":
            return _rotate_master_key(arguments.data, _master_key(arguments))
        return _serve(
            host=arguments.host,
            port=arguments.port,
            data=arguments.data,
            master_key=_master_key(arguments),
            strict=arguments.strict,
            list_whole_account=arguments.list_whole_account,
            seed=arguments.seed,
            limits=Limits(**dict(arguments.limits)),
        )
    except LocalPlatformError as error:
        _say(f"memoram-local: {error}", error=True)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="memoram-local", description="A Memoram-compatible platform on this machine."
    )
    parser.add_argument("--version", action="version", version=f"memoram-local {_version()}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="{serve,demo,rotate-master-key}")
    serve = commands.add_parser("serve", help="run the platform until Ctrl-C")
    serve.add_argument("--host", default="127.0.0.1", help="localhost, 127.0.0.1 or ::1 (default: 127.0.0.1)")
    serve.add_argument(
        "--port", type=_port, default=DEFAULT_PORT, help=f"0 for any free one (default: {DEFAULT_PORT})"
    )
    _add_data(serve)
    serve.add_argument(
        "--strict",
        action="store_true",
        help="refuse requests, and withhold answers, that differ from the contract",
    )
    serve.add_argument(
        "--limit",
        metavar="NAME=NUMBER",
        dest="limits",
        action="append",
        type=_limit,
        default=[],
        help="change a limit, such as tags_of_memory=200; docs/self-hosting.md lists them",
    )
    serve.add_argument(
        "--list-whole-account",
        action="store_true",
        help="list the access requests of all applications of a developer to each of them",
    )
    serve.add_argument(
        "--seed",
        metavar="FILE",
        help="add the applications, users and memories of a YAML file, with keys that can be guessed",
    )
    demo = commands.add_parser(
        "demo",
        help="show the SDK and the platform at work together",
        description="Walk the quickstart over HTTP, and compare every memory that comes back with the file.",
        epilog="Exit status: 0 all equal (bad lines are named and left out), 1 something differed or failed, "
        "2 wrong arguments or no memory to read, 130 after Ctrl-C.",
    )
    demo.add_argument(
        "--memories",
        metavar="FILE.jsonl",
        help="one JSON object a line: content; optionally title, summary, tags, importance, confidence and "
        "source (default: a small sample)",
    )
    demo.add_argument(
        "--service",
        choices=("memoram", "memory-api"),
        default="memoram",
        help="which service to walk through: memory-api signs up, makes keys with scopes, stores, asks and "
        "rotates, and takes neither --memories nor --interactive (default: memoram)",
    )
    demo.add_argument("--interactive", action="store_true", help="approve the access request yourself")
    rotate = commands.add_parser(
        "rotate-master-key",
        help="seal the keys in a data directory under a new master key",
        description="Seal users' encryption keys and the signing key under a new master key. No platform may "
        "be using the data directory. The old key stays where it is: backups made before still need it.",
    )
    _add_data(rotate)
    return parser


def _add_data(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--data",
        metavar="DIR",
        type=_directory,
        default=DEFAULT_DATA,
        help=f"keeps the data (default: ./{DEFAULT_DATA})",
    )
    keys = command.add_mutually_exclusive_group()
    keys.add_argument(
        "--master-key-file",
        metavar="FILE",
        type=_directory,
        help="the master key is in this file (default: the environment variable "
        f"{VARIABLE}, or else a file among your own settings)",
    )
    keys.add_argument(
        "--master-key-command", metavar="COMMAND", help="the master key is what this command prints"
    )


def _master_key(arguments: argparse.Namespace) -> MasterKeySource:
    if arguments.master_key_file is not None:
        return MasterKeyFile(arguments.master_key_file)
    if arguments.master_key_command is not None:
        return MasterKeyCommand(arguments.master_key_command)
    return default_source()


def _directory(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty: was a variable not set?")
    return text


def _version() -> str:
    try:
        return version("memoram")
    except PackageNotFoundError:  # packed into one file, or run from a folder that nobody has installed
        return "of unknown version"


def _limit(text: str) -> tuple[str, Any]:
    name, _, number = text.partition("=")
    known = {each.name: each.default for each in fields(Limits)}
    if name not in known:
        raise argparse.ArgumentTypeError(f"{name!r} is no limit: there are {', '.join(known)}")
    try:
        value: Any = int(number) if number.isdecimal() else float(number)
        Limits(**{name: value})
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: {error}") from error
    return name, value


def _port(text: str) -> int:
    port = int(text) if text.isascii() and text.isdecimal() else -1
    if not 0 <= port <= _HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 0 to {_HIGHEST_PORT}")
    return port


def _serve(
    *,
    host: str,
    port: int,
    data: str,
    master_key: MasterKeySource,
    strict: bool,
    list_whole_account: bool,
    seed: str | None,
    limits: Limits,
) -> int:
    stop = threading.Event()

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    previous = {number: signal.signal(number, ask_to_stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with (
            MemoramLocal(
                data=data,
                master_key=master_key,
                strict=strict,
                list_whole_account=list_whole_account,
                limits=limits,
            ) as platform,
            ExitStack() as stack,
        ):
            try:
                # Before anybody can connect: whoever gets an answer finds everything there.
                seeded = None if seed is None else platform.load_seed(seed)
                server = stack.enter_context(platform.serve(host=host, port=port))
            except BaseException:
                platform.discard()
                raise
            else:
                dedicate()
                _say(_greeting(server, data=data, is_new=not platform.has_apps, seeded=seeded))
                while not stop.wait(_STEP_SECONDS):
                    pass
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    return 0


def _greeting(server: LocalServer, *, data: str, is_new: bool, seeded: Seeded | None) -> str:
    if seeded is not None and seeded.apps:
        key = f"export MEMORAM_API_KEY={next(iter(seeded.apps.values())).api_key}"
    elif is_new:
        key = f"# MEMORAM_API_KEY: open {server.url}/portal and register an application to get one"
    else:
        key = "# MEMORAM_API_KEY: was shown when the application was registered on the portal"
    return f"""Memoram Local is ready. Its data is in {data}

  API base URL          {server.api_url}
  Authorization server  {server.auth_url}
  Developer portal      {server.url}/portal
  Dashboard             {server.url}/dashboard

For your shell:

  export MEMORAM_BASE_URL={server.api_url}
  export MEMORAM_AUTH_URL={server.auth_url}
  export MEMORAM_DASHBOARD_URL={server.url}/dashboard
  {key}
{"" if seeded is None else _garden(seeded)}
Ctrl-C stops it."""


def _garden(seeded: Seeded) -> str:
    lines = ["", "From the seed, whose keys anybody can guess who has it:", ""]
    for app in seeded.apps.values():
        lines += [f"  application {app.name}", f"    API key        {app.api_key}"]
        lines += [f"    client id      {app.client_id}", f"    client secret  {app.client_secret}"]
    for user in seeded.users.values():
        lines += [f"  user {user.email}", f"    memory key     {user.memory_key}"]
    for request in seeded.access_requests:
        lines.append(f"  access request {request.id} of {request.app_name}: {request.status}")
    if seeded.memories:
        lines.append(f"  memories: {len(seeded.memories)}")
    for name, organization in seeded.organizations.items():
        lines.append(f"  organization {name} of Memory API: id {organization.id}")
        lines += [f"    key {key_name}: {key.key}" for key_name, key in organization.keys.items()]
    return "\n".join([*lines, ""])


def _rotate_master_key(data: str, master_key: MasterKeySource) -> int:
    old, new = rotate_master_key(Path(data), master_key=master_key)
    _say(
        f"The keys in {data} are sealed under the master key {new} now, kept in {master_key.describe(new)}.\n"
        f"Backups made before still need the master key {old}: keep it as long as you keep them."
    )
    return 0


def _say(text: str, *, error: bool = False) -> None:
    # Whoever read the output may be gone, or have closed it: the platform serves all the same.
    with contextlib.suppress(OSError, ValueError):
        # Flushed, so that whoever started this process through a pipe reads it at once.
        print(text, file=sys.stderr if error else sys.stdout, flush=True)
