"""`python -m memoram_local`."""

from __future__ import annotations

import sys

from memoram_local.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
