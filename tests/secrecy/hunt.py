"""Looks for secrets in everything that an error, a log record or an object can show of itself."""

from __future__ import annotations

import logging
import pickle
import traceback
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from tests.secrecy.canaries import seen_in

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

OURS: Final = ("/memoram_async/", "/memoram_sync/")
"""Frames of the SDK. What those of its users hold is theirs to keep."""

DEEPEST: Final = 12


def sightings(shown: Iterable[tuple[str, str]]) -> list[str]:
    """Where which secret was seen."""
    texts = list(shown)
    if not seen_in("\n".join(text for _, text in texts)):  # what is in none of them is not in all of them
        return []
    return [f"{secret} in {where}: {text[:200]}" for where, text in texts for secret in seen_in(text)]


def shown_by_error(error: BaseException) -> Iterator[tuple[str, str]]:
    """All that an error shows: as text, in its attributes, causes, tracebacks and pickle."""
    for one in _related(error, set()):
        name = type(one).__name__
        yield f"str of {name}", str(one)
        yield f"repr of {name}", repr(one)
        yield f"args of {name}", repr(one.args)
        yield f"attributes of {name}", repr(vars(one))
        yield from frames_of(one)
        yield from _shown_by_pickle(one)
    yield "the printed traceback", "".join(traceback.format_exception(error))


def _related(error: BaseException | None, seen: set[int]) -> Iterator[BaseException]:
    if error is None or id(error) in seen:
        return
    seen.add(id(error))
    yield error
    inner: tuple[BaseException, ...] = getattr(error, "exceptions", ())
    held = [value for value in vars(error).values() if isinstance(value, BaseException)]
    for other in (error.__cause__, error.__context__, *inner, *held):
        yield from _related(other, seen)


def frames_of(error: BaseException) -> Iterator[tuple[str, str]]:
    """The local variables of the SDK's own frames in an error's traceback."""
    frames = [pair for pair in traceback.walk_tb(error.__traceback__) if _is_ours(pair[0].f_code.co_filename)]
    summary = traceback.StackSummary.extract(iter(frames), lookup_lines=False, capture_locals=True)
    for frame in summary:
        for name, text in (frame.locals or {}).items():
            yield f"{name} in {frame.name}, {frame.filename}:{frame.lineno}", text


def _is_ours(filename: str) -> bool:
    return any(part in filename for part in OURS)


def _shown_by_pickle(thing: object) -> Iterator[tuple[str, str]]:
    for protocol in (0, pickle.HIGHEST_PROTOCOL):
        try:
            pickled = pickle.dumps(thing, protocol)
        except Exception:  # noqa: BLE001, S112 - what cannot be pickled leaks nothing by it
            continue
        yield f"pickle of {type(thing).__name__}", pickled.decode("latin-1")


def shown_by_object(thing: object) -> Iterator[tuple[str, str]]:
    """All that an object of the SDK shows, and those that it holds: as text, and in its pickle."""
    for one in _held(thing, {}, DEEPEST):
        name = type(one).__name__
        yield f"repr of {name}", repr(one)
        yield f"str of {name}", str(one)
        yield f"format of {name}", f"{one}"
        yield from _shown_by_pickle(one)


def _values(container: Any) -> list[Any]:
    return list(container.values())


_CONTAINERS: Final[dict[type[Any], Callable[[Any], list[Any]]]] = {
    dict: _values,
    **dict.fromkeys((list, tuple, set, frozenset), list),
}


def _held(thing: object, seen: dict[int, object], depth: int) -> Iterator[object]:
    """The object, and the SDK's own objects below it."""
    if id(thing) in seen or depth == 0:
        return
    seen[id(thing)] = thing  # kept, so that no other object gets its id
    take = _CONTAINERS.get(type(thing))
    if type(thing).__module__.startswith(("memoram_async", "memoram_sync")):
        yield thing
        parts = [getattr(thing, name, None) for name in _attributes(thing)]
    elif take is not None:
        parts = take(thing)
    else:
        return
    for part in parts:
        yield from _held(part, seen, depth - 1)


def _attributes(thing: object) -> list[str]:
    slots = [getattr(kind, "__slots__", ()) for kind in type(thing).__mro__]
    names = [name for each in slots for name in ([each] if isinstance(each, str) else each)]
    return [name for name in [*names, *getattr(thing, "__dict__", {})] if not name.startswith("__")]


class Ear(logging.Handler):
    """Hears every log record of the process, at any level.

    Attributes:
        heard: Where something was said, and what.
        loggers: The names of those who spoke.
    """

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.heard: list[tuple[str, str]] = []
        self.loggers: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        self.loggers.add(record.name)
        where = f"log of {record.name}"
        self.heard.append((where, logging.Formatter().format(record)))
        self.heard.append((f"{where}, record", repr(vars(record))))
        if record.exc_info and record.exc_info[1]:
            self.heard.extend((f"{where}, {part}", text) for part, text in shown_by_error(record.exc_info[1]))


@contextmanager
def listening() -> Generator[Ear]:
    """Hear what is logged and warned of meanwhile, with every logger at its most talkative."""
    ear, root = Ear(), logging.getLogger()
    before = root.level
    root.addHandler(ear)
    root.setLevel(1)
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            yield ear
        ear.heard.extend(("a warning", f"{each.message} {each.message!r}") for each in warned)
    finally:
        root.removeHandler(ear)
        root.setLevel(before)
