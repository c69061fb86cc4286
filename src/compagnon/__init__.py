"""Compagnon takes an AI solution, described by one file, from raw sources to a monitored application.

>>> from compagnon import Solution
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from compagnon.errors import UserError
    from compagnon.solution import Solution

__all__ = ["Solution", "UserError", "__version__"]


def __getattr__(name: str) -> Any:
    # Public names are looked up late, so that `import compagnon` stays light.
    if name == "Solution":
        from compagnon.solution import Solution

        return Solution
    if name == "UserError":
        from compagnon.errors import UserError

        return UserError
    if name == "__version__":
        from importlib.metadata import version

        return version("compagnon")
    raise AttributeError(f"module 'compagnon' has no attribute {name!r}")
