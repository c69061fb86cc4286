"""The complete model of solution.yaml: the core, and the options of the adapters that are installed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BeforeValidator, Field, create_model

from compagnon.spec.model import (
    EmbedderOptions,
    EstimatorOptions,
    Model,
    Name,
    ProviderOptions,
    Section,
    SourceOptions,
    Spec,
    Tutor,
)


@dataclass(frozen=True)
class Kinds:
    """Marks a place that takes ``{kind: NAME, ...}``, or ``NAME`` alone, with the options of each kind."""

    options: Mapping[str, type[Section]]

    def __hash__(self) -> int:
        return hash(tuple(self.options.items()))


def complete_model(
    source_options: Mapping[str, type[SourceOptions]],
    estimator_options: Mapping[str, type[EstimatorOptions]],
    provider_options: Mapping[str, type[ProviderOptions]] | None = None,
    embedder_options: Mapping[str, type[EmbedderOptions]] | None = None,
) -> type[Spec]:
    """``Spec`` with the options of each source, estimator, provider and embedder, by kind."""
    sources: Any = kinds_of(source_options) if source_options else SourceOptions
    estimators: Any = kinds_of(estimator_options) if estimator_options else EstimatorOptions
    providers: Any = kinds_of(provider_options) if provider_options else ProviderOptions
    model: Any = create_model(
        "Model",
        __base__=Model,
        __doc__=Model.__doc__,
        estimators=(tuple[estimators, ...], Field(min_length=1, description="Families to try, on the same folds.")),
    )
    embedders: Any = kinds_of(embedder_options) if embedder_options else EmbedderOptions
    tutor: Any = create_model(
        "Tutor",
        __base__=Tutor,
        __doc__=Tutor.__doc__,
        embedder=(embedders | None, Tutor.model_fields["embedder"]),
    )
    return create_model(
        "Spec",
        __base__=Spec,
        __doc__=Spec.__doc__,
        sources=(dict[Name, sources], Spec.model_fields["sources"]),
        models=(dict[Name, model], Spec.model_fields["models"]),
        providers=(dict[Name, providers], Spec.model_fields["providers"]),
        tutor=(tutor | None, Spec.model_fields["tutor"]),
    )


def kinds_of(options: Mapping[str, type[Section]]) -> Any:
    """The type of a place that takes one of ``options``, written in full or by its kind alone."""
    kinds = {kind: _with_kind(kind, options[kind]) for kind in sorted(options)}
    union: Any = reduce(or_, kinds.values())
    short: Any = Literal[tuple(kinds)]
    tagged: Any = Annotated[union, Field(discriminator="kind")] if len(kinds) > 1 else union
    return Annotated[tagged, BeforeValidator(_as_kind, json_schema_input_type=short | tagged), Kinds(kinds)]


def _as_kind(value: Any) -> Any:
    return {"kind": value} if isinstance(value, str) else value


def _with_kind(kind: str, options: type[Section]) -> type[Section]:
    """``options`` whose ``kind`` is the literal by which it is registered."""
    annotation = options.model_fields["kind"].annotation
    if get_origin(annotation) is Literal and get_args(annotation) == (kind,):
        return options
    literal: Any = Literal[kind]
    return create_model(
        options.__name__,
        __base__=options,
        __doc__=options.__doc__,
        __module__=options.__module__,
        kind=(literal, Field(description=f"Always `{kind}`.")),
    )
