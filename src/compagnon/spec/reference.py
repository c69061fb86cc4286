"""The reference page of solution.yaml, made from its model so that it cannot lag behind."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from compagnon.i18n import use
from compagnon.spec import quantity
from compagnon.spec.model import ByLanguage, Section, Spec
from compagnon.spec.shape import describe, kinds_in

_INTRO = """\
# `solution.yaml`

<!-- Page produite depuis le modèle par compagnon.spec.reference ; ne pas la modifier à la main. -->

Une solution est un dossier qui contient un fichier `solution.yaml`. Cette page donne chaque section et chaque clé de
ce fichier. Les clés en **gras** sont obligatoires. Les textes destinés aux personnes s'écrivent une fois pour toutes,
ou par langue : `{fr: "...", en: "..."}`. Une durée s'écrit `40 s`, `15 min`, `1d`, `30 days`, `2 years` ; une taille
`500 kB`, `1 MB`. `${VAR}` prend un réglage dans l'environnement, `${secret:VAR}` un secret, `$${` écrit les signes
eux-mêmes. Partout où l'on attend `{kind: nom}`, `nom` suffit. `compagnon check` vérifie tout le fichier, `compagnon
schema` en donne le schéma JSON aux éditeurs.

*A solution is a folder with one file, `solution.yaml`. This page lists its sections and keys, made from the model;
keys in **bold** are required.*
"""


def reference_markdown(model: type[Spec]) -> str:
    """A page with each section of ``model``: its keys, what they take, their default and meaning."""
    with use("en"):
        parts = [_INTRO]
        for section, kind in _sections(model):
            title = "The whole file" if section is model else section.__name__
            heading = f"## Le fichier · {title}" if section is model else f"## {title}"
            parts.append(f"{heading if kind is None else f'### `kind: {kind}`'}\n\n{_first_line(section)}\n")
            parts.append(_table(section, kind))
        return "\n".join(parts)


def _sections(model: type[BaseModel]) -> Iterator[tuple[type[BaseModel], str | None]]:
    """``model`` and the sections in it, each once, in the order of the file."""
    seen: set[type[BaseModel]] = set()
    pending: list[tuple[type[BaseModel], str | None]] = [(model, None)]
    while pending:
        section, kind = pending.pop(0)
        if section in seen:
            continue
        seen.add(section)
        yield section, kind
        inner: list[tuple[type[BaseModel], str | None]] = []
        for info in section.model_fields.values():
            inner += _models_in(info.annotation)
        pending = inner + pending


def _models_in(type_: Any) -> list[tuple[type[BaseModel], str | None]]:
    if isinstance(type_, type) and issubclass(type_, BaseModel):
        return [(type_, None)]
    if kinds := kinds_in(type_):
        return [(options, kind) for kind, options in kinds.options.items()]
    return [found for argument in get_args(type_) for found in _models_in(argument)]


def _first_line(section: type[BaseModel]) -> str:
    text = inspect.getdoc(section) or ""
    return "" if text == inspect.getdoc(Section) else text.split("\n\n")[0].replace("\n", " ")


def _table(section: type[BaseModel], kind: str | None) -> str:
    lines = ["| clé · key | valeur · value | défaut · default | sens · meaning |", "|---|---|---|---|"]
    for name, info in section.model_fields.items():
        key = f"`{info.alias or name}`"
        if kind is not None and name == "kind":
            continue
        cells = (f"**{key}**" if info.is_required() else key, _value(info), _default(info), info.description or "")
        lines.append("| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _value(info: FieldInfo) -> str:
    text = _of(info)
    inner = [
        f"[{kind}](#kind-{kind})" if kind else f"[{section.__name__}](#{section.__name__.lower()})"
        for section, kind in _models_in(info.annotation)
        if section is not ByLanguage
    ]
    links = ", ".join(dict.fromkeys(inner))
    return f"{text}: {links}" if links else text


def _of(info: FieldInfo) -> str:
    arguments: Any = (info.annotation, *info.metadata)
    return describe(Annotated[arguments] if info.metadata else info.annotation)


def _default(info: FieldInfo) -> str:
    value = info.default
    if value is PydanticUndefined or value in (None, (), {}, "") or isinstance(value, BaseModel):
        return ""
    if isinstance(value, timedelta):
        return f"`{quantity.write_duration(value)}`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"
