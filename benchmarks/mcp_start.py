"""What it costs to start the MCP server, beside importing the official package that it stands on.

Figures are CPU seconds of fresh processes, in interleaved rounds: the medians of

-   `import mcp` alone,
-   `memoram-mcp` from its start until its input ends, with a server made and ready, and
-   `memoram-mcp --help`.

    python -m benchmarks.mcp_start [--rounds 7]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from typing import Final

PROGRAM: Final = "import sys; from memoram_async.integrations.mcp_command import main; sys.exit(main({}))"
COMMANDS: Final = {
    "import mcp": "import mcp",
    "memoram-mcp": PROGRAM.format("[]"),
    "memoram-mcp --help": PROGRAM.format("['--help']"),
}
SETTINGS: Final = {
    "MEMORAM_API_KEY": "mem_bench",
    "MEMORAM_BASE_URL": "http://127.0.0.1:9/api/v1",
    "MEMORAM_AUTH_URL": "http://127.0.0.1:9",
    "MEMORAM_MEMORY_KEY": "mk_bench",
}


def seconds(code: str) -> float:
    """The CPU time of a process, of the system's part too."""
    process = subprocess.Popen(  # noqa: S603 - our own words
        (sys.executable, "-c", code),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, **SETTINGS},
    )
    _, status, usage = os.wait4(process.pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0, process.stderr and process.stderr.read()
    process.returncode = 0
    if process.stderr is not None:
        process.stderr.close()
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for turn in range(rounds + 1):
        for name, code in COMMANDS.items():
            spent = seconds(code)
            if turn:  # the first round writes bytecode
                times[name].append(spent)
    medians = {name: statistics.median(spent) for name, spent in times.items()}
    beyond = statistics.median(
        one - other for one, other in zip(times["memoram-mcp"], times["import mcp"], strict=True)
    )
    print("| CPU seconds | goal | measured |")
    print("|---|---|---|")
    print(f"| `import mcp` alone | | {medians['import mcp']:.2f} |")
    print(f"| `memoram-mcp`, beyond it | 0.3 | {beyond:.2f} |")
    print(f"| `memoram-mcp --help` | 0.3 | {medians['memoram-mcp --help']:.2f} |")


if __name__ == "__main__":
    main()
