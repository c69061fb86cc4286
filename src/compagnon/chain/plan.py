"""The plan: for each stage instance, is what the ledger holds still valid?

A pure function of the instances (made from the spec), the ledger, the probes, the overlay, the referenced files'
digests and the time: the same answers for ``plan``, ``status``, ``run`` and the pages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from compagnon.chain import digest as digests
from compagnon.chain import display
from compagnon.chain.run import Run
from compagnon.chain.stage import Instance, Probe
from compagnon.errors import UserError
from compagnon.i18n import _

State = Literal["cached", "stale", "missing", "running", "failed"]
KEY_VERSION = 1


@dataclass(frozen=True)
class Outside:
    """What a plan needs to know besides the spec."""

    now: datetime
    last: Callable[[str], Run | None]
    """The latest finished run of an instance."""
    find: Callable[[str, str], Run | None]
    """The latest finished run of an instance with a given key."""
    failed: Callable[[str], Run | None]
    """The latest failed run of an instance, if it is later than the last finished one."""
    available: Callable[[Run], bool]
    """Whether the files that a run made are still there."""
    probes: Mapping[str, Probe] = field(default_factory=dict)
    overlays: Mapping[str, str] = field(default_factory=dict)
    """Digest of the overlay by table."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Digest of each referenced file."""
    versions: Callable[[str], str] = lambda name: ""
    """Version of a distribution or of a stage's source, by name."""
    running: str | None = None
    """The instance at work right now in another process."""
    looking: bool = True
    """False for a status: sources of which only collecting can tell count as valid since the last look."""


@dataclass(frozen=True)
class Step:
    """One instance with its state. ``run`` is the valid run when cached, else the last finished one."""

    instance: Instance
    state: State
    reason: str
    run: Run | None
    key: dict[str, Any] | None
    """None when it depends on a stage that must run first."""

    @property
    def valid(self) -> bool:
        return self.state == "cached"


class Plan(list[Step]):
    """Steps in the order in which they run; a notebook shows them as a table."""

    @display.spoken
    def _repr_html_(self) -> str:
        return display.block(self.as_table())

    def as_table(self) -> str:
        """One row of HTML a step."""
        head = (_("Stage"), _("State"), _("Why"), _("Run"), _("Ended (UTC)"))
        rows = [
            (
                step.instance.id,
                display.state(step.state),
                step.reason,
                step.run.id if step.run else "",
                display.moment(step.run.ended if step.run else None),
            )
            for step in self
        ]
        return display.table(_("Stages"), head, rows)


def ordered(instances: Sequence[Instance]) -> list[Instance]:
    """Instances so that each comes after what it reads; otherwise in the order given."""
    makers = {output: instance for instance in instances for output in instance.outputs}
    done: dict[str, Instance] = {}

    def visit(instance: Instance, chain: tuple[str, ...]) -> None:
        if instance.id in done:
            return
        if instance.id in chain:
            raise UserError("plan.circle", _("Stages depend on each other: {chain}.").format(chain=" → ".join(chain)))
        for name in instance.inputs:
            if name in makers:
                visit(makers[name], (*chain, instance.id))
        done[instance.id] = instance

    for instance in instances:
        visit(instance, ())
    return list(done.values())


def needed_for(instances: Sequence[Instance], wanted: str) -> list[Instance]:
    """The instances that ``wanted`` (an instance or a stage name) needs, itself included, in order."""
    makers = {output: instance for instance in instances for output in instance.outputs}
    ends = [i for i in instances if wanted in (i.id, i.stage)]
    if not ends:
        raise UserError(
            "plan.unknown-stage",
            _("There is no stage {name} in this solution.").format(name=wanted),
            next=_("Stages: {names}.").format(names=", ".join(i.id for i in instances)),
        )
    keep: set[str] = set()
    todo = list(ends)
    while todo:
        instance = todo.pop()
        if instance.id not in keep:
            keep.add(instance.id)
            todo.extend(makers[name] for name in instance.inputs if name in makers)
    return [i for i in ordered(instances) if i.id in keep]


def make(instances: Sequence[Instance], outside: Outside, refresh: frozenset[str] = frozenset()) -> list[Step]:
    """The plan of all instances, in the order in which they would run."""
    steps: dict[str, Step] = {}
    for instance in ordered(instances):
        steps[instance.id] = decide(instance, outside, steps, refresh)
    return list(steps.values())


def decide(
    instance: Instance, outside: Outside, before: Mapping[str, Step], refresh: frozenset[str] = frozenset()
) -> Step:
    """The state of one instance, given the steps of what it reads."""
    last = outside.last(instance.id)
    if outside.running == instance.id:
        return Step(instance, "running", _("running now"), last, None)
    inputs = _inputs(instance, before)
    if inputs is not None and (instance.id in refresh or instance.stage in refresh):
        key = _key(instance, outside, inputs)
        return Step(instance, "stale" if last else "missing", _("asked for with --refresh"), last, key)
    if inputs is None:
        waiting = [s.instance.id for s in _upstream(instance, before) if not s.valid]
        reason = _("waits for {stages}").format(stages=", ".join(waiting))
        return Step(instance, "stale" if last else "missing", reason, last, None)
    key = _key(instance, outside, inputs)
    probe = outside.probes.get(instance.id)
    if probe is not None:
        step = _decide_source(instance, outside, key, probe, last)
        if step is not None:
            return step
    run = outside.find(instance.id, digests.of_value(key))
    # Without a token the key does not tell one state of the source from another: an earlier run may be of another.
    tells = probe is None or probe.token is not None
    if run is not None and tells and outside.available(run):
        return Step(instance, "cached", _("nothing it depends on has changed"), run, key)
    if run is not None and (tells or (last is not None and last.id == run.id)):
        return Step(instance, "stale", _("files it made are missing or altered"), last, key)
    failed = outside.failed(instance.id)
    if failed is not None and failed.key == key:
        what = (failed.error or {}).get("what", "")
        return Step(instance, "failed", _("failed: {what}").format(what=what), last, key)
    if last is None:
        return Step(instance, "missing", _("never run"), None, key)
    return Step(instance, "stale", _("stale because {changes}").format(changes=explain(last.key, key)), last, key)


def _decide_source(
    instance: Instance, outside: Outside, key: dict[str, Any], probe: Probe, last: Run | None
) -> Step | None:
    """What a probe alone settles: freshness, and sources of which only collecting can tell."""
    same_settings = last is not None and {**last.key, "probe": None} == {**key, "probe": None}
    if last is None or not same_settings or not outside.available(last):
        return None
    age = outside.now - last.ended
    if probe.fresh_for is not None and age.total_seconds() < 0:
        return Step(
            instance,
            "stale",
            _("the last collection is dated in the future (has the clock jumped?), so its age is unknown"),
            last,
            key,
        )
    # What stood in for a source that was down is not fresh: the source is looked at again at once.
    if probe.fresh_for is not None and age < probe.fresh_for and last.fact("instead_used") is None:
        return Step(instance, "cached", _("still fresh"), last, key)
    if not outside.looking and (probe.error is not None or probe.token is None):
        return Step(instance, "cached", _("valid when it was last looked at"), last, key)
    if probe.error is not None:
        return Step(instance, "stale", _("the source could not be looked at: {why}").format(why=probe.error), last, key)
    if probe.token is None:
        return Step(instance, "stale", _("only collecting tells whether the source has changed"), last, key)
    return None


def _upstream(instance: Instance, before: Mapping[str, Step]) -> list[Step]:
    return [step for step in before.values() if set(step.instance.outputs) & set(instance.inputs)]


def _inputs(instance: Instance, before: Mapping[str, Step]) -> dict[str, str] | None:
    """Digest of each input, or None while something that makes one is not valid."""
    digests_by_name: dict[str, str] = {}
    for step in _upstream(instance, before):
        if not step.valid or step.run is None:
            return None
        for output in step.run.outputs:
            if output.name in instance.inputs:
                digests_by_name[output.name] = output.digest
    return digests_by_name


def _key(instance: Instance, outside: Outside, inputs: dict[str, str]) -> dict[str, Any]:
    probe = outside.probes.get(instance.id)
    return {
        "key": KEY_VERSION,
        "stage": f"{instance.stage} {instance.version} {outside.versions('stage:' + instance.stage)}",
        "settings": instance.settings,
        "inputs": inputs,
        "files": {name: outside.files.get(name, "missing") for name in instance.files},
        "adapters": {name: outside.versions(name) for name in instance.adapters},
        "overlay": outside.overlays.get(instance.overlay) if instance.overlay else None,
        "probe": probe.token if probe else None,
    }


def explain(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """What differs between two keys, in words."""
    changes: list[str] = []
    if old.get("stage") != new.get("stage") or old.get("key") != new.get("key"):
        changes.append(_("Compagnon's own code for this stage has changed"))
    settings = _changed_settings(old.get("settings"), new.get("settings"))
    if settings:
        changes.append(_("settings have changed: {names}").format(names=", ".join(settings[:5])))
    for part, text in (
        ("inputs", _("input {name} has changed")),
        ("files", _("file {name} has changed")),
        ("adapters", _("{name} has another version")),
    ):
        before, after = old.get(part) or {}, new.get(part) or {}
        changes.extend(text.format(name=n) for n in sorted({*before, *after}) if before.get(n) != after.get(n))
    if old.get("overlay") != new.get("overlay"):
        changes.append(_("rows were corrected or put back"))
    if old.get("probe") != new.get("probe"):
        changes.append(_("the source has changed"))
    return _("; ").join(changes) or _("its record is of another form")


def _changed_settings(old: Any, new: Any, path: str = "") -> list[str]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        names: list[str] = []
        for key in sorted({*old, *new}):
            names.extend(_changed_settings(old.get(key), new.get(key), f"{path}.{key}" if path else str(key)))
        return names
    return [path or "…"] if old != new else []
