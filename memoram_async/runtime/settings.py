"""What a runtime is made with, and what must be one: checked where clients and runtimes are constructed."""

from __future__ import annotations

from typing import Final

from memoram_async.core.kinds import check_methods, flag_misfit, limit_misfit

_CLOCK: Final = ("monotonic", "wall", "real_seconds")
_RUNTIME: Final = (
    *("now", "wall", "random", "home", "send", "sleep", "waiter", "wait", "wake"),
    *("within", "map_bounded", "read_ahead", "run_blocking", "shielded", "aclose"),
)


def check_settings(max_connections: object, trust_env: object, clock: object) -> None:
    """Refuse what no runtime can be made with.

    Raises:
        InvalidArgumentError: A number or flag is of another type.
        ConfigurationError: The clock tells no time.
    """
    refusal = limit_misfit(max_connections, name="max_connections") or flag_misfit(
        trust_env, name="trust_env"
    )
    if refusal is not None:
        raise refusal
    if clock is not None:
        check_methods(clock, _CLOCK, name="clock", wanted="a Clock")


def check_runtime(runtime: object) -> None:
    """Refuse what cannot send, wait or sleep.

    Raises:
        ConfigurationError: It is no `Runtime`.
    """
    check_methods(runtime, _RUNTIME, name="runtime", wanted="a Runtime, such as AnyioRuntime()")
