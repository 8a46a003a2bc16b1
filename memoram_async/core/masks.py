"""What logs and forms show in place of a secret."""

from __future__ import annotations

import re
from typing import Final

_MASK: Final = re.compile(r"\s*(?:Secret\(\s*['\"]?)?[*\u2022]+(?:['\"]?\s*\))?\s*")


def is_masked(text: str) -> bool:
    """Whether a text is what a log or a form shows in place of a secret, such as `***`."""
    return _MASK.fullmatch(text) is not None
