"""What a process that does nothing but serve a platform may change about its interpreter."""

from __future__ import annotations

import gc


def dedicate() -> None:
    """Let this interpreter serve a platform, now that everything is loaded.

    It changes the whole process: for the command line, never for a platform in somebody else's process.
    """
    # A full collection would go through all that was loaded, and stop every request for some 50 ms.
    gc.collect()
    gc.freeze()
