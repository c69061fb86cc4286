"""A process that closes one segment of predictions, gently, and says on its output what it closed.

python -m compagnon.operate.monitor.closing SEGMENT MODEL
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import msgspec

from compagnon.operate.monitor.segments import compact

GENTLY = 10
"""Steps by which this process comes after those that answer."""


def main(path: str, model: str) -> None:
    if hasattr(os, "nice"):
        os.nice(GENTLY)
    sys.stdout.buffer.write(msgspec.json.encode(compact(Path(path), model), enc_hook=str))


if __name__ == "__main__":
    main(*sys.argv[1:])
