"""How sure each behaviour of this platform is.

The published contract of the service leaves questions open. Each answer given here carries a mark on the
function that gives it, so that a ledger of what is documented, inferred or invented can be generated from
the code itself and cannot drift away from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Fidelity = Literal["documented", "inferred", "invented"]

_ATTRIBUTE = "__memoram_behaviours__"

_Marked = TypeVar("_Marked", bound="Callable[..., object]")


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One behaviour of the platform and how sure it is.

    Attributes:
        name: A stable name, `operation.aspect`.
        fidelity: `documented` by the service, `inferred` from its examples or from a standard that it names,
            or `invented` here because nothing says.
        says: The behaviour in one sentence.
    """

    name: str
    fidelity: Fidelity
    says: str


def behaviour(name: str, fidelity: Fidelity, says: str) -> Callable[[_Marked], _Marked]:
    """Mark a function as the place that decides a behaviour.

    The mark is an attribute of the function: nothing is registered anywhere else.

    Args:
        name: A stable name, `operation.aspect`.
        fidelity: How sure the behaviour is.
        says: The behaviour in one sentence.
    """

    def mark(function: _Marked) -> _Marked:
        setattr(function, _ATTRIBUTE, (Behaviour(name, fidelity, says), *behaviours_of(function)))
        return function

    return mark


def behaviours_of(function: object) -> tuple[Behaviour, ...]:
    """The marks of a function in the order in which they are written; none for an unmarked one."""
    marks: tuple[Behaviour, ...] = getattr(function, _ATTRIBUTE, ())
    return marks
