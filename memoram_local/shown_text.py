"""Text that people see when they decide: every character can be seen, in the order in which it was written.

Control characters, overrides of the writing direction and characters without a width let one name look like
another one. Names and reasons that hold them are refused. What cannot be, such as the title of a memory,
is shown with a replacement character in their place.
"""

from __future__ import annotations

import unicodedata
from typing import Final

_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
_REFUSED: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# Letters and marks by their category, and blank by their looks.
_BLANK: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_ZERO_WIDTH_JOINER: Final = "\u200d"
_JOINERS: Final = frozenset({"\u200c", _ZERO_WIDTH_JOINER})
_EMOJI_MODIFIERS: Final = frozenset("\ufe0f\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff")
_VIRAMA: Final = 9


def hidden_character(text: str) -> str | None:
    """The first character of a text that cannot be seen or changes the order of others; None without one.

    Returns:
        Its code point, such as `U+202E`.
    """
    for place, character in enumerate(text):
        if _is_hidden(text, place):
            return f"U+{ord(character):04X}"
    return None


def visible(text: str) -> str:
    """The text with a replacement character for each that cannot be seen or changes the order of others."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        _REPLACEMENT if _is_hidden(text, place) else character for place, character in enumerate(text)
    )


def look(text: str) -> str:
    """What two names have in common that people take for one: case, width, accents' form, spaces.

    Letters of different scripts that look alike stay different.
    """
    # What has no width may stand in names from before it was refused.
    seen = "".join(
        character
        for place, character in enumerate(text)
        if not _is_hidden(text, place) and not _is_variation_selector(character)
    )
    return " ".join(unicodedata.normalize("NFKC", seen).casefold().split())


def _is_hidden(text: str, place: int) -> bool:
    character = text[place]
    if character.isascii():
        return not character.isprintable()
    if character in _JOINERS:
        return not _joins(text, place)
    if character in _BLANK:
        return True
    # The signs before Arabic numbers are format characters that can be seen.
    is_number_sign = unicodedata.bidirectional(character) == "AN"
    return unicodedata.category(character) in _REFUSED and not is_number_sign


def _joins(text: str, place: int) -> bool:
    """Whether a joiner stands where spelling needs it: RFC 5892 appendix A, and sequences of emoji."""
    if not 0 < place < len(text) - 1:
        return False
    before, after = text[place - 1], text[place + 1]
    if unicodedata.combining(before) == _VIRAMA:
        return True
    if text[place] == _ZERO_WIDTH_JOINER:
        return (_is_symbol(before) or before in _EMOJI_MODIFIERS) and _is_symbol(after)
    return all(unicodedata.bidirectional(each) == "AL" for each in (before, after))


def _is_symbol(character: str) -> bool:
    return unicodedata.category(character) == "So"


def _is_variation_selector(character: str) -> bool:
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"
