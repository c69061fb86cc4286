"""The providers of a solution: which there are, and the way to one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from compagnon.chain import plugins
from compagnon.operate.usage.gateway import Gateway
from compagnon.providers.opening import declared, open_provider
from compagnon.providers.prices import catalog
from compagnon.spec.variables import secret_names

if TYPE_CHECKING:
    from compagnon.solution import Solution

KeyState = Literal["environment", "kept", "missing", "none"]


@dataclass(frozen=True)
class Known:
    """A provider that can be named, and whether it has what it needs; never its key."""

    name: str
    kind: str
    model: str
    url: str
    declared: bool
    key: KeyState
    secret: str | None

    def as_dict(self) -> dict[str, Any]:
        return dict(vars(self))


def gateway(solution: Solution, name: str) -> Gateway:
    """The way to the provider ``name`` of a solution: declared in its file, or a kind that needs no options.

    Raises UserError: unknown, not declared, its key not set.
    """
    options = declared(solution.spec.providers, name)
    provider = open_provider(name, options, solution.secrets)
    return Gateway(solution.engine, solution.secrets, provider, options, solution.clock)


def known(solution: Solution) -> list[Known]:
    """The providers that the file declares, then the kinds that can be named without being declared."""
    from pydantic import ValidationError

    found = [_known(solution, name, options, True) for name, options in sorted(solution.spec.providers.items())]
    for kind, adapter in sorted(plugins.load("providers").items()):
        if kind in solution.spec.providers:
            continue
        try:
            found.append(_known(solution, kind, adapter.Options(kind=kind), False))
        except ValidationError:
            continue  # it cannot do without options
    return found


def _known(solution: Solution, name: str, options: Any, is_declared: bool) -> Known:
    model = catalog().model(options.kind, str(getattr(options, "model", "")))
    template = getattr(options, "key", None)
    secret = next(iter(secret_names(template)), None) if template else None
    return Known(
        name, options.kind, model, str(getattr(options, "url", "")), is_declared, _key_state(solution, secret), secret
    )


def _key_state(solution: Solution, secret: str | None) -> KeyState:
    if secret is None:
        return "none"
    if (solution.environ.get(secret) or "").strip():
        return "environment"
    return "kept" if (solution.secrets.lookup(secret) or "").strip() else "missing"
