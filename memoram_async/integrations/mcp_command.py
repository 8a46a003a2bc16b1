"""The command `memoram-mcp`: an MCP server for one user on stdio, or for many over HTTP.

What it is asked for is looked at before the official MCP package is loaded, which takes a second.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

REASON: Final = "Remembers what you tell your agent"
TOKEN_BUDGET: Final = 4000
SMALLEST_BUDGET: Final = 500

ENVIRONMENT: Final = """\
environment:
  MEMORAM_API_KEY        the application's developer API key
  MEMORAM_BASE_URL, MEMORAM_AUTH_URL, MEMORAM_DASHBOARD_URL
                         where the service is, and where users decide
  MEMORAM_MEMORY_KEY     on stdio: whose memories; without it, the first call
                         gives a page on this machine that links the account,
                         which takes the following three, as HTTP does
  MEMORAM_CLIENT_ID, MEMORAM_CLIENT_SECRET
                         the application's OAuth client
  MEMORAM_SECRET         32 bytes or more, which seal what is kept of users
  MEMORAM_SIGN_IN_CLIENT_ID, MEMORAM_SIGN_IN_CLIENT_SECRET
                         with --http: an OpenID Connect client at the issuer,
                         so that the page that links accounts knows its user;
                         its redirect URI is /memoram/signed-in
"""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    it = argparse.ArgumentParser(
        prog="memoram-mcp",
        description="An MCP server that remembers and recalls, encrypted with the user's own key.",
        epilog=ENVIRONMENT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    it.add_argument("--reason", default=REASON, help="what users read when they decide (%(default)s)")
    it.add_argument(
        "--token-budget",
        type=int,
        default=TOKEN_BUDGET,
        metavar="N",
        help="how many tokens a result may have (%(default)s)",
    )
    it.add_argument(
        "--grants",
        metavar="URL",
        help="SQLAlchemy's URL of the database that keeps who has linked an account, sealed "
        "(on stdio a file of yours alone)",
    )
    many = it.add_argument_group("for many users, over streamable HTTP")
    many.add_argument("--http", action="store_true", help="serve HTTP instead of stdio")
    many.add_argument("--issuer", metavar="URL", help="who issues access tokens: their iss, an https URL")
    many.add_argument("--audience", metavar="TEXT", help="the aud that access tokens must have")
    many.add_argument("--url", metavar="URL", help="where clients reach this server (http://HOST:PORT/mcp)")
    many.add_argument("--host", default="127.0.0.1", help="the address to listen on (%(default)s)")
    many.add_argument("--port", type=int, default=8000, help="the port to listen on (%(default)s)")
    return it


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit status."""
    command = parser()
    options = command.parse_args(arguments)
    fault = _fault(options)
    if fault is not None:
        command.error(fault)
    from memoram_async.core.errors import MemoramError  # noqa: PLC0415 - not for --help

    try:
        from memoram_async.integrations.mcp import running  # noqa: PLC0415 - as above

        running.run(options)
    except (ImportError, MemoramError) as error:
        sys.stderr.write(f"memoram-mcp: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _fault(options: argparse.Namespace) -> str | None:
    """What is wrong with the options and the environment; None if nothing is."""
    if options.token_budget < SMALLEST_BUDGET:
        return f"--token-budget must be at least {SMALLEST_BUDGET}"
    needed = ["MEMORAM_API_KEY"]
    if options.http or not os.environ.get("MEMORAM_MEMORY_KEY"):
        needed += ["MEMORAM_CLIENT_ID", "MEMORAM_CLIENT_SECRET", "MEMORAM_SECRET"]
    if options.http:
        needed += ["MEMORAM_SIGN_IN_CLIENT_ID", "MEMORAM_SIGN_IN_CLIENT_SECRET"]
    missing = [name for name in needed if not os.environ.get(name)]
    if missing:
        hint = "" if options.http else " (or MEMORAM_MEMORY_KEY in place of the last three)"
        return f"set {', '.join(missing)}{hint if len(missing) > 1 else ''}; --help tells what they are"
    if not options.http:
        wrong = [name for name in ("issuer", "audience", "url") if getattr(options, name)]
        return f"--{wrong[0]} goes with --http" if wrong else None
    if not options.issuer or not options.audience:
        return "--http needs --issuer and --audience, which say whose access tokens are good here"
    holds = {
        "--host must be an address of this machine": bool(options.host),
        "--port must be from 1 to 65535": 0 < options.port < 65536,
        "--url must be an http or https URL": options.url is None or _is_address(options.url),
    }
    return next((rule for rule, kept in holds.items() if not kept), None)


def _is_address(url: str) -> bool:
    """Whether clients can reach something there."""
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
