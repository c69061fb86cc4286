"""``python -m compagnon``: with arguments, the command line; without, the flagship from its sources to a page."""

from __future__ import annotations

import sys

from compagnon.cli import main

if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.exit(main())
    from compagnon.cli.first import first

    sys.exit(first())
