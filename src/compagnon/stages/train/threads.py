"""One thread wherever bits must not move: sums in another order end in other bits."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """BLAS and OpenMP use one thread until the block ends."""
    # A pool that is loaded later would not be limited: BLAS of NumPy and of SciPy, OpenMP of scikit-learn.
    import numpy  # noqa: F401
    import scipy.linalg  # noqa: F401
    import sklearn.utils._openmp_helpers  # noqa: F401
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        yield
