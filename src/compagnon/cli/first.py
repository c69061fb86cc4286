"""What ``make run`` does once Compagnon is installed: the flagship made where it is absent, run, and served.

``COMPAGNON_DIR`` names the folder (work/tutor), ``COMPAGNON_PORT`` the port (8000); ``COMPAGNON_SERVE=0`` ends after
the chain.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from compagnon.cli import main
from compagnon.cli.command import SPEC_FILE
from compagnon.errors import DONE

FOLDER = "work/tutor"
PORT = "8000"


def first(environ: Mapping[str, str] = os.environ) -> int:
    """Make, run and serve the flagship; returns the exit code of the first command that fails, else 0."""
    folder = Path(environ.get("COMPAGNON_DIR") or FOLDER)
    if not (folder / SPEC_FILE).is_file():
        code = main(["new", str(folder), "--from", "tutor"])
        if code != DONE:
            return code
    code = main(["-C", str(folder), "run"])
    if code != DONE or environ.get("COMPAGNON_SERVE", "1") in ("0", "no", "false"):
        return code
    return main(["-C", str(folder), "serve", "--port", environ.get("COMPAGNON_PORT") or PORT])
