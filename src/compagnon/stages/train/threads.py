"""One thread wherever bits must not move: sums in another order end in other bits."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """BLAS and OpenMP use one thread until the block ends."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        yield
