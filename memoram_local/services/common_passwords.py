"""Which passwords are guessed first."""

from __future__ import annotations

from functools import cache
from typing import Final

# The longest one on the list.
_LONGEST: Final = 20
_FEWEST_CHARACTERS: Final = 3
# "Sunshine2024!" is guessed where "sunshine" is; more than a few characters around a word are not.
_LONGEST_ORNAMENT: Final = 5
_OF_THIS_PLATFORM: Final = frozenset({"memoram", "memoramlocal"})
_ORNAMENTS: Final = "0123456789!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"


def is_common(password: str, *, email: str) -> bool:
    """Whether a password is among those that are tried first.

    Those are the passwords that people were found to use most, also with a few digits or signs around them,
    the email address or its name, and repetitions of one or two characters.
    """
    folded = "".join(password.split()).casefold()
    if len(set(folded)) < _FEWEST_CHARACTERS or folded in {email, email.partition("@")[0]}:
        return True
    if len(folded) > _LONGEST + _LONGEST_ORNAMENT:
        return False
    core = folded.strip(_ORNAMENTS)
    words = {folded, core} if len(folded) - len(core) <= _LONGEST_ORNAMENT else {folded}
    return not words.isdisjoint(_OF_THIS_PLATFORM) or not words.isdisjoint(_known())


@cache
def _known() -> frozenset[str]:
    # The list takes a twentieth of a second to load: only for those who choose a password.
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # noqa: PLC0415

    return frozenset(FREQUENCY_LISTS["passwords"])
