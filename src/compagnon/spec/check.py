"""What the model alone cannot see: names that point to each other, files, and settings that contradict."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from pathlib import Path as FilePath
from typing import Any

from compagnon.errors import Problem, UserError
from compagnon.i18n import _
from compagnon.spec import quantity
from compagnon.spec.check_models import check_models
from compagnon.spec.check_tables import check_tables
from compagnon.spec.files import fault, mentioned, outside
from compagnon.spec.finding import Finding
from compagnon.spec.locator import Path
from compagnon.spec.model import Spec
from compagnon.spec.scene import Scene, Unreadable
from compagnon.spec.values import read_values

ZONES = ("raw", "quarantine", "predictions", "feedback", "conversations", "handovers", "logs")
"""What ``privacy.keep`` may name besides tables."""

_SECTIONS = {"collect": "sources", "prepare": "tables", "store": "tables", "train": "models", "package": "models"}

CheckExpressions = Callable[[Spec], Iterable[tuple[Path, str]]]
"""Checks SQL expressions and regular expressions: the place and what is wrong; given by the part that runs them."""


def check(
    spec: Spec, raw: dict[str, Any], root: FilePath, *, known_facts: Collection[str] | None = None
) -> tuple[list[Finding], list[Problem]]:
    """Mistakes and warnings of ``spec`` (written as ``raw``, in the folder ``root``), and those of files it names.

    Facts of indicators are compared with ``known_facts`` unless it is None.
    """
    scene = Scene(spec, raw, root, known_facts)
    _sources(scene)
    _files(scene)
    check_tables(scene)
    check_models(scene)
    _indicators(scene)
    _privacy(scene)
    _tutor(scene)
    return scene.findings, scene.problems


def _sources(scene: Scene) -> None:
    sources = scene.names("sources")
    for name, source in scene.spec.sources.items():
        path = ("sources", name, "instead")
        if source.instead in (None, "last"):
            continue
        assert source.instead is not None
        if source.instead == name:
            scene.error("spec.instead-cycle", _("A source cannot stand in for itself."), *path)
        elif source.instead not in sources:
            others = ["last", *(other for other in sources if other != name)]
            what = _("There is no source `{name}`.").format(name=source.instead)
            scene.known("spec.unknown-source", what, source.instead, others, path)
        elif cycle := _cycle(scene, name):
            what = _("These sources stand in for each other in a circle: {names}.").format(names=" → ".join(cycle))
            scene.error("spec.instead-cycle", what, *path, next=_("Write `instead: last` on one of them."))


def _cycle(scene: Scene, start: str) -> list[str]:
    """The circle of ``instead`` that begins and ends at ``start``."""
    walk = [start]
    while (source := scene.spec.sources.get(walk[-1])) is not None and source.instead not in (None, "last"):
        following = str(source.instead)
        walk.append(following)
        if following == start:
            return walk
        if following in walk[:-1]:
            return []
    return []


def _files(scene: Scene) -> None:
    for path, name in mentioned(scene.spec):
        finding = fault(scene.root, name, path)
        if finding:
            scene.findings.append(finding)
        elif path[0] == "tables":
            try:
                read_values(scene.root, name)
            except UserError as error:
                scene.problems += error.problems


def _indicators(scene: Scene) -> None:
    instances = list(scene.stage_instances())
    for index, indicator in enumerate(scene.spec.need.indicators if scene.spec.need else ()):
        path = ("need", "indicators", index)
        what = _("There is no stage `{name}` in this solution.").format(name=indicator.of)
        section = _SECTIONS.get(indicator.of.partition("/")[0], "")
        if not isinstance(scene.names(section), Unreadable):
            scene.known("spec.unknown-stage", what, indicator.of, instances, (*path, "of"))
        if scene.known_facts is not None:
            what = _("The fact `{name}` is not known.").format(name=indicator.fact)
            scene.known("spec.unknown-fact", what, indicator.fact, sorted(scene.known_facts), (*path, "fact"))
        if indicator.at_least is None and indicator.at_most is None:
            what = _("This indicator has no threshold.")
            scene.error("spec.no-threshold", what, *path, next=_("Add `at_least` or `at_most`."))
        for side in ("at_least", "at_most"):
            value = getattr(indicator, side)
            if isinstance(value, str) and quantity.split(value) is None:
                what = _("`{value}` is not a number with a unit.").format(value=value)
                scene.error("spec.threshold", what, *path, side, next=_("Write for example 0.85 or 5 ms."))


def _tutor(scene: Scene) -> None:
    tutor = scene.spec.tutor
    if tutor is None:
        return
    if (finding := outside(scene.root, tutor.knowledge, ("tutor", "knowledge"))) is not None:
        scene.findings.append(finding)
    for day, opens in (tutor.handover.hours if tutor.handover else {}).items():
        before = ""
        for place, hours in enumerate(opens):
            start, end = (part.strip() for part in hours.split("-"))
            if start >= end or start < before:
                what = _("{hours} ends before it begins, or begins before the hours above end.").format(hours=hours)
                scene.error("spec.hours", what, "tutor", "handover", "hours", day, place)
            before = end
    if tutor.topic_model is not None:
        what = _("There is no model `{name}`.").format(name=tutor.topic_model)
        scene.known("spec.unknown-model", what, tutor.topic_model, scene.names("models"), ("tutor", "topic_model"))


def _privacy(scene: Scene) -> None:
    privacy = scene.spec.privacy
    tables = scene.names("tables")
    for name in privacy.keep if privacy else ():
        what = _("`{name}` is neither a zone nor a table.").format(name=name)
        scene.known("spec.unknown-zone", what, name, [*ZONES, *tables], ("privacy", "keep", name), key=True)
    personal = [
        ("tables", table_name, "columns", column_name, "personal")
        for table_name, table in scene.spec.tables.items()
        for column_name, column in table.columns.items()
        if column.personal not in (None, "none")
    ]
    if not personal:
        return
    absent = [key for key in ("controller", "purpose", "basis") if not getattr(privacy, key, None)]
    absent = [key for key in absent if not scene.written("privacy", key)]
    if absent:
        what = _("Columns hold personal data, and `privacy` does not say: {keys}.").format(keys=", ".join(absent))
        path = ("privacy",) if scene.written("privacy") else personal[0]
        scene.warn(
            "spec.privacy", what, *path, next=_("Say who is responsible, what for, and on which basis."), key=True
        )
