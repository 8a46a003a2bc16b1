"""A plugin that hides the packages of memoram[fast]: `pytest -p tests.without_fast`.

What reads pages and tokens then has to do with what the SDK requires, and the same tests must pass.
"""

from __future__ import annotations

import sys

for _name in ("msgspec", "pybase64"):
    if any(each.startswith("memoram_async.") for each in sys.modules):
        message = "load this plugin with -p, so that it comes before the SDK"
        raise RuntimeError(message)
    sys.modules[_name] = None  # type: ignore[assignment]  # importing it now fails as if it were not there
