"""pydantic's errors in plain words, at the key or value concerned, with the nearest valid name."""

from __future__ import annotations

import json
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ValidationError

from compagnon.i18n import _
from compagnon.spec import model as spec_model
from compagnon.spec.finding import Finding, Unshown, nearest
from compagnon.spec.kinds import Kinds
from compagnon.spec.locator import Path

_MISFIT = ("_type", "_parsing", "_from_float")


@dataclass
class _Place:
    """Where an error of pydantic points: the path in the file, and the type expected there."""

    path: Path = ()
    type: Any = None
    value: Any = None
    present: bool = True
    union: Any = None
    union_path: Path = ()
    fits: bool = True
    is_key: bool = False
    extra: tuple[str | int, ...] = field(default=())


def findings(error: ValidationError, model: type[BaseModel], data: Any) -> list[Finding]:
    """The mistakes that ``error`` reports about ``data``; one for each place, whatever the number of alternatives."""
    found: dict[tuple[Path, str, str], Finding] = {}
    misfits: dict[Path, _Place] = {}
    specific: set[Path] = set()
    for item in error.errors(include_url=False):
        place = _find(item["loc"], model, data)
        if place.union is not None:
            at_union = place.path == place.union_path
            if not place.fits or (at_union and item["type"].endswith(_MISFIT)):
                misfits.setdefault(place.union_path, place)
                continue
            specific.add(place.union_path)
        finding = _finding(item, place)
        found.setdefault((finding.path, finding.code, finding.what), finding)
    for path, place in misfits.items():
        if path not in specific:
            finding = _wrong_type(path, place.union, _value_at(data, path))
            found.setdefault((path, finding.code, finding.what), finding)
    return list(found.values())


def _finding(item: Mapping[str, Any], place: _Place) -> Finding:
    kind, context = item["type"], item.get("ctx") or {}
    path, value = place.path, place.value
    if kind == "missing" or kind == "union_tag_not_found":
        key = str(place.extra[0]) if kind == "missing" and place.extra else "kind"
        names = place.type.options if isinstance(place.type, Kinds) else ()
        what = _("The key `{key}` is missing.").format(key=key)
        return Finding("spec.missing-key", what, path, nearest("", names), at="key")
    if kind == "extra_forbidden":
        owner = _model_of(place.type)
        what = _("Unknown key `{key}`.").format(key=path[-1] if path else "")
        return Finding("spec.unknown-key", what, path, nearest(str(path[-1:] and path[-1]), keys_of(owner)), at="key")
    if kind == "union_tag_invalid":
        kinds = place.type.options if isinstance(place.type, Kinds) else {}
        return _unknown_value(path if isinstance(value, str) else (*path, "kind"), context.get("tag"), kinds)
    if kind in ("literal_error", "enum"):
        return _unknown_value(path, value, [str(v) for v in get_args(_bare(place.type))])
    if kind == "string_pattern_mismatch" and str(context.get("pattern")).startswith("^[a-z][a-z0-9"):
        return _bad_name(place)
    if kind.endswith(_MISFIT):
        return _wrong_type(path, place.type, value)
    if kind == "value_error" and isinstance(context.get("error"), Unshown):
        return Finding("spec.value", _("{reason}.").format(reason=context["error"]), path, shown=False)
    if kind == "value_error":
        what = _("`{value}`: {reason}.").format(value=_shown(value), reason=str(context.get("error", item["msg"])))
        return Finding("spec.value", what, path)
    if kind in ("too_short", "string_too_short"):
        return Finding("spec.empty", _("At least one is needed here."), path)
    bound = _bound(kind, context)
    reason = bound or str(item["msg"])
    return Finding("spec.value", _("`{value}`: {reason}.").format(value=_shown(value), reason=reason), path)


def _bound(kind: str, context: Mapping[str, Any]) -> str | None:
    if kind == "greater_than":
        return _("expected more than {limit}").format(limit=_number(context["gt"]))
    if kind == "greater_than_equal":
        return _("expected at least {limit}").format(limit=_number(context["ge"]))
    if kind == "less_than":
        return _("expected less than {limit}").format(limit=_number(context["lt"]))
    if kind == "less_than_equal":
        return _("expected at most {limit}").format(limit=_number(context["le"]))
    if kind == "too_long":
        return _("expected at most {limit} items").format(limit=context["max_length"])
    return None


def _unknown_value(path: Path, value: Any, valid: Iterable[str]) -> Finding:
    what = _("`{value}` is not known here.").format(value=_shown(value))
    return Finding("spec.unknown-value", what, path, nearest(str(value), valid))


def _bad_name(place: _Place) -> Finding:
    name = str(place.path[-1]) if place.is_key else str(place.value)
    what = _("`{name}` is not a valid name.").format(name=_shown(name))
    separator = "-" if place.path == ("name",) else "_"
    rule = _("Use lower-case letters, digits and `{separator}`, beginning with a letter.").format(separator=separator)
    return Finding("spec.name", what, place.path, rule, at="key" if place.is_key else "value")


def _wrong_type(path: Path, expected: Any, value: Any) -> Finding:
    what = _("Expected {expected}, found {found}.").format(expected=describe(expected), found=_found(value))
    accepts = {_bare(branch) for branch in branches(expected)}
    takes_text = str in accepts or any(_is_string_list(branch) for branch in (expected, *branches(expected)))
    quote = takes_text and isinstance(value, (int, float))
    return Finding("spec.type", what, path, _("Put it in quotes to make it a text.") if quote else None)


# --- walking along pydantic's location ---------------------------------------------------------------------------


def _find(location: tuple[str | int, ...], model: type[BaseModel], data: Any) -> _Place:
    """Follows ``location``, which also names the alternatives that pydantic tried, through types and data together."""
    place = _Place(type=model, value=data)
    rest = list(location)
    while rest:
        part = rest[0]
        if part == "[key]" and len(rest) == 1:
            place.is_key = True
            break
        kinds = kinds_in(place.type)
        if kinds is not None:
            place.type = _chosen(kinds, place.value)
            if place.type is None:
                place.type = kinds
                break
            if len(kinds.options) > 1:
                rest.pop(0)
            continue
        options = branches(place.type)
        if len(options) > 1:
            place.union, place.union_path = place.type, place.path
            place.type = _branch(options, str(part))
            place.fits = place.fits and _fits(place.type, place.value)
            rest.pop(0)
            continue
        inner = _inside(place.type, part)
        if not _has(place.value, part):
            place.extra = tuple(rest)
            place.present = False
            if isinstance(part, int) or inner is None or rest[1:]:
                place.type = place.type if inner is None else inner
            break
        if inner is not None:
            place.type = inner
        place.value = place.value[part]
        place.path = (*place.path, part)
        rest.pop(0)
    else:
        kinds = kinds_in(place.type)
        place.type = kinds if kinds is not None else place.type
    return place


def _inside(type_: Any, part: str | int) -> Any:
    """The type of ``part`` within ``type_``; None for an unknown key."""
    bare = _bare(type_)
    if isinstance(bare, type) and issubclass(bare, BaseModel):
        for name, info in bare.model_fields.items():
            if part == (info.alias or name):
                return Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation
        return None
    arguments = get_args(bare)
    if get_origin(bare) is dict:
        return arguments[1]
    if get_origin(bare) in (tuple, list):
        return arguments[0]
    return None


def _bare(type_: Any) -> Any:
    """``type_`` without its annotations and without ``| None``."""
    while True:
        if get_origin(type_) is Annotated:
            type_ = get_args(type_)[0]
            continue
        rest = [a for a in get_args(type_) if a is not type(None)] if _is_union(type_) else []
        if len(rest) != 1:
            return type_
        type_ = rest[0]


def branches(type_: Any) -> list[Any]:
    """The alternatives of ``type_``, without None; ``[type_]`` when there is one."""
    bare = _bare(type_)
    if kinds_in(type_) is not None or not _is_union(bare):
        return [type_]
    return [a for a in get_args(bare) if a is not type(None)]


def _is_union(type_: Any) -> bool:
    return get_origin(type_) in (Union, types.UnionType)


def _annotations(type_: Any) -> tuple[Any, ...]:
    if get_origin(type_) is Annotated:
        return (*get_args(type_)[1:], *_annotations(get_args(type_)[0]))
    rest = [a for a in get_args(type_) if a is not type(None)] if _is_union(type_) else []
    return _annotations(rest[0]) if len(rest) == 1 else ()


def kinds_in(type_: Any) -> Kinds | None:
    """The kinds that a place of ``type_`` takes, if it is one that takes kinds."""
    return next((a for a in _annotations(type_) if isinstance(a, Kinds)), None)


def _chosen(kinds: Kinds, value: Any) -> Any:
    if len(kinds.options) == 1:
        return next(iter(kinds.options.values()))
    kind = value.get("kind") if isinstance(value, dict) else value
    return kinds.options.get(kind) if isinstance(kind, str) else None


def _branch(options: list[Any], label: str) -> Any:
    """The alternative that pydantic calls ``label``."""
    for option in options:
        bare = _bare(option)
        if (
            getattr(bare, "__name__", None) == label
            or getattr(get_origin(bare), "__name__", "?") == label.split("[")[0]
        ):
            return option
    return next((o for o in options if getattr(_bare(o), "__name__", "?") in label), options[0])


def _fits(type_: Any, value: Any) -> bool:
    bare = _bare(type_)
    is_model = isinstance(bare, type) and issubclass(bare, BaseModel)
    if isinstance(value, dict):
        return is_model or bare is dict or get_origin(bare) is dict
    if isinstance(value, list):
        return get_origin(bare) in (tuple, list)
    return not is_model and get_origin(bare) not in (dict, tuple, list)


def _has(value: Any, part: str | int) -> bool:
    if isinstance(value, dict):
        return part in value
    return isinstance(value, list) and isinstance(part, int) and 0 <= part < len(value)


def _value_at(data: Any, path: Path) -> Any:
    for part in path:
        data = data[part]
    return data


def _model_of(type_: Any) -> Any:
    if isinstance(type_, Kinds):
        return None
    return _bare(type_)


def keys_of(model: Any) -> list[str]:
    """The keys that ``model`` takes in the file."""
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return []
    return [info.alias or name for name, info in model.model_fields.items()]


# --- words -------------------------------------------------------------------------------------------------------


def describe(type_: Any) -> str:
    """What ``type_`` takes, in words."""
    if isinstance(type_, Kinds) or kinds_in(type_) is not None:
        kinds = type_ if isinstance(type_, Kinds) else kinds_in(type_)
        names = ", ".join(kinds.options) if kinds else ""
        return _("a kind ({names}) or a mapping with `kind`").format(names=names)
    options = branches(type_)
    if len(options) == 2 and options[0] is str and _bare(options[1]) is spec_model.ByLanguage:
        return _("a text, or {fr: a text, en: a text}")
    if len(options) > 1:
        return _(" or ").join(dict.fromkeys(describe(option) for option in options))
    if _is_string_list(type_):
        return _("a text or a list of texts")
    bare = _bare(type_)
    validators = [a.func for a in _annotations(type_) if isinstance(a, BeforeValidator)]
    if spec_model._as_size in validators:
        return _("a size such as 500 kB or 1 MB")
    if bare is timedelta:
        return _("a duration such as 40 s or 30 days")
    if isinstance(bare, type) and issubclass(bare, BaseModel):
        return _("a text or a mapping (`key: value`)") if validators else _("a mapping (`key: value`)")
    if get_origin(bare) is Literal:
        return _("one of {names}").format(names=", ".join(str(v) for v in get_args(bare)))
    return _simple(get_origin(bare) or bare)


def _simple(type_: Any) -> str:
    if type_ is dict:
        return _("a mapping (`key: value`)")
    if type_ in (tuple, list):
        return _("a list")
    if type_ is bool:
        return _("true or false")
    if type_ is int:
        return _("a whole number")
    if type_ is float:
        return _("a number")
    return _("a text")


def _is_string_list(type_: Any) -> bool:
    return spec_model._as_list in [a.func for a in _annotations(type_) if isinstance(a, BeforeValidator)]


def _found(value: Any) -> str:
    if value is None:
        return _("nothing")
    if isinstance(value, dict):
        return _("a mapping")
    if isinstance(value, list):
        return _("a list")
    if isinstance(value, str):
        return _("the text `{value}`").format(value=_shown(value))
    return f"`{_shown(value)}`"


def _shown(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    text = " ".join(str(value).split()) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:59] + "…"


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, (int, float)) else str(value)
