"""Opening the provider that a solution means by a name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compagnon.chain import plugins
from compagnon.chain.secrets import Secrets
from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.providers.key import find_key
from compagnon.providers.port import Provider
from compagnon.spec.model import ProviderOptions


def declared(providers: Mapping[str, ProviderOptions], name: str) -> ProviderOptions:
    """The options of a provider: as solution.yaml declares it under ``name``, else those of the kind ``name``.

    Raises UserError ``provider.unknown``, and ``provider.not-declared`` for a kind that cannot do without options.
    """
    if name in providers:
        return providers[name]
    kinds = plugins.load("providers")
    if name not in kinds:
        known = ", ".join(sorted({*providers, *kinds}))
        raise UserError(
            "provider.unknown",
            _("There is no provider {name}.").format(name=name),
            next=_("Possible here: {names}.").format(names=known),
        )
    from pydantic import ValidationError

    try:
        options: ProviderOptions = kinds[name].Options(kind=name)
    except ValidationError:
        options_missing = UserError(
            "provider.not-declared",
            _("A provider of the kind {kind} needs an address and a model.").format(kind=name),
            next=_("Declare it: compagnon provider add NAME --kind {kind} --url URL --model ID").format(kind=name),
        )
    else:
        return options
    raise options_missing


def open_provider(name: str, options: ProviderOptions, secrets: Secrets) -> Provider:
    """The provider with its key. Raises UserError ``provider.no-key`` where the key is not set."""
    adapter: Any = plugins.load("providers")[options.kind]
    key, missing = find_key(options, secrets)
    if missing:
        raise UserError(
            "provider.no-key",
            _("The key of the provider {name} is not set: {secret}.").format(name=name, secret=missing),
            next=_("Set it in the environment, or keep it with: compagnon provider add {name}").format(name=name),
        )
    opened: Provider = adapter(name, options, key)
    return opened
