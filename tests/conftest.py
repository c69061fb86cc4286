"""What every test shares: hypothesis without deadlines (machines are slow at times), English messages, fixtures."""

from __future__ import annotations

import os

from hypothesis import settings

# No test asserts a time; and the messages that tests compare are English whatever the machine's locale.
settings.register_profile("compagnon", deadline=None)
settings.load_profile("compagnon")
os.environ["COMPAGNON_LANG"] = "en"
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
