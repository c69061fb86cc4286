"""Writes the pages of docs/reference that are made from the code.

python scripts/reference.py            write them
python scripts/reference.py --check    say which are out of date; exit 1 if any is
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from compagnon.access.reference import reference_markdown as roles
from compagnon.chain.fact import FACTS, Definition
from compagnon.cli.reference import markdown as commands
from compagnon.i18n import _ as translated
from compagnon.i18n import use
from compagnon.solution import kinds
from compagnon.spec.reference import reference_markdown as sections

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "compagnon"
FOLDER = ROOT / "docs" / "reference"

# --- facts -------------------------------------------------------------------------------------------------------

FACTS_INTRO = """\
# Faits · Facts

<!-- Page produite depuis compagnon.chain.fact par `make reference` ; ne pas la modifier à la main. -->

Un fait est une valeur trouvée par une exécution : il a un nom, une unité et une sorte. Un fait **calculé** se retrouve
à l'identique quand on recommence avec les mêmes entrées : il est comparé. Un fait **mesuré** (temps, replis) dépend de
la machine et du moment : il est gardé, jamais comparé. L'unité `1` est celle d'un rapport, entre 0 et 1. Les faits se
lisent avec `compagnon status --json` et servent aux indicateurs : `{fact: macro_f1, of: train/topic, at_least: 0.85}`.

*A fact is a value found by a run. A **computed** one comes out the same from the same inputs, and is compared; a
**measured** one (time, fall-backs) is kept and never compared. The unit `1` is that of a ratio.*
"""


def facts() -> str:
    """The page of the facts, in the order of their stages."""
    lines = [FACTS_INTRO, "| fait · fact | unité · unit | sorte · kind | sens | meaning |", "|---|---|---|---|---|"]
    lines += [_fact(definition) for definition in FACTS.values()]
    return "\n".join(lines) + "\n"


def _fact(fact: Definition) -> str:
    kind = {"computed": "calculé · computed", "measured": "mesuré · measured"}[fact.kind]
    return _row(f"`{fact.name}`", f"`{fact.unit}`" if fact.unit else "", kind, fact.fr, fact.en)


# --- errors ------------------------------------------------------------------------------------------------------

ERRORS_INTRO = """\
# Erreurs · Errors

<!-- Page produite depuis le code par `make reference` ; ne pas la modifier à la main. -->

Chaque erreur que vous pouvez corriger porte un code qui ne change pas d'une version à l'autre. `--json` le donne
(`{"problems": [{"code", "what", "where", "next", "path"}]}`), l'API le met dans `code` de son document d'erreur
(RFC 9457). Les mots entre accolades sont remplacés par des valeurs. La flèche dit que faire. *…* : la suite vient d'une
bibliothèque ou d'une autre partie du message.

*Each error that you can correct has a code that stays the same from one version to the next. Words in braces stand for
values; the arrow says what to do.*
"""

SUBJECTS = {
    "account": "Comptes · Accounts",
    "artifact": "Artefacts · Artifacts",
    "backup": "Sauvegardes · Backups",
    "cli": "Ligne de commande · Command line",
    "collect": "Collecter · Collecting",
    "conversation": "Conversations du tuteur · Conversations of the tutor",
    "faq": "Questions fréquentes · Frequent questions",
    "prompt": "Consignes du tuteur · Prompts of the tutor",
    "handover": "Conversations confiées à une personne · Conversations handed over",
    "correction": "Corrections du tuteur · Corrections of the tutor",
    "database": "Base de données du registre · Database of the ledger",
    "disk": "Disque · Disk",
    "document": "Documents à emporter · Documents to take away",
    "embedder": "Vecteurs de sens · Embedders",
    "export": "Exporter · Exporting",
    "extra": "Bibliothèques facultatives · Optional libraries",
    "first": "Premier administrateur · First administrator",
    "form": "Formulaires des pages · Forms of the pages",
    "gc": "Nettoyage · Tidying",
    "infer": "Deviner depuis des données · Guessing from data",
    "json": "Corps JSON d'une requête · JSON body of a request",
    "key": "Clés d'API · API keys",
    "knowledge": "Base de connaissances · Knowledge base",
    "link": "Liens à usage unique · Single-use links",
    "model": "Modèles de l'API · Models of the API",
    "new": "Nouvelle solution · New solution",
    "note": "Notes du journal · Notes of the logbook",
    "package": "Paquets de modèle · Model packages",
    "page": "Pages",
    "password": "Mots de passe · Passwords",
    "plan": "Plan",
    "plugin": "Greffons · Plug-ins",
    "predict": "Prédire · Predicting",
    "prepare": "Préparer · Preparing",
    "provider": "Fournisseurs d'IA · AI providers",
    "quarantine": "Quarantaine · Quarantine",
    "query": "Interroger · Querying",
    "request": "Requêtes HTTP · HTTP requests",
    "restore": "Restaurer une sauvegarde · Restoring a backup",
    "role": "Rôles · Roles",
    "run": "Exécutions · Runs",
    "sandbox": "Sources d'entraînement · Practice sources",
    "scope": "Périmètre du tuteur · Scope of the tutor",
    "secrets": "Secrets",
    "serve": "Démarrer le serveur · Starting the server",
    "server": "Serveur · Server",
    "setting": "Réglages · Settings",
    "show": "Montrer · Showing",
    "spark": "Spark",
    "spec": "`solution.yaml`",
    "store": "Stocker · Storing",
    "train": "Apprendre · Training",
    "tutor": "Tuteur · Tutor",
}
CODE = re.compile(r"^[a-z]+\.[a-z]+[a-z0-9]*(-[a-z0-9]+)*$")
UNSTATED = "…"


@dataclass(frozen=True, order=True)
class Raised:
    """One place where the code says ``code``: its message and advice in English, its file."""

    code: str
    file: str
    what: str
    advice: str


def errors() -> str:
    """The page of the error codes, by subject."""
    lines = [ERRORS_INTRO]
    known = found(SOURCE)
    for subject in dict.fromkeys(code.partition(".")[0] for code in known):
        lines += [f"## {SUBJECTS[subject]}\n"]
        lines += ["| code | ce que dit l'erreur | what it says | où · where |", "|---|---|---|---|"]
        for code, places in known.items():
            if code.partition(".")[0] == subject:
                lines.append(_error(code, places))
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _error(code: str, places: list[Raised]) -> str:
    messages = list(dict.fromkeys((place.what, place.advice) for place in places))
    files = list(dict.fromkeys(place.file for place in places))
    french, english = ("<br>".join(_told(what, advice, tongue) for what, advice in messages) for tongue in ("fr", "en"))
    return _row(f"`{code}`", "" if french == english else french, english, ", ".join(f"`{file}`" for file in files))


def _told(what: str, advice: str, language: str) -> str:
    with use(language):
        said = [
            translated(text) if text != UNSTATED else text
            for text in (what, "" if advice == UNSTATED else advice)
            if text
        ]
    return " → ".join(said)


def found(folder: Path) -> dict[str, list[Raised]]:
    """Every code in the sources under ``folder``, sorted, with the places that say it.

    A code is what is given for a parameter named ``code``, whatever is called: an error, or a helper that makes one.
    """
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.py"))}
    takers = _takers(trees.values())
    places = {
        Raised(code, path.relative_to(folder).as_posix(), what, advice)
        for path, tree in trees.items()
        for code, what, advice in _codes(tree, takers)
    }
    by_code: dict[str, list[Raised]] = {}
    for place in sorted(places):
        by_code.setdefault(place.code, []).append(place)
    return by_code


Parameters = list[str]


def _takers(trees: Iterable[ast.Module]) -> dict[str, list[Parameters]]:
    """Names of functions and classes with a parameter ``code``, and their parameters."""
    takers: dict[str, list[Parameters]] = {}
    bases: dict[str, set[str]] = {}
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name != "__init__":
            _add(takers, node.name, _parameters(node))
        elif isinstance(node, ast.ClassDef):
            makers = [n for n in node.body if isinstance(n, ast.FunctionDef) and n.name == "__init__"]
            fields = [n.target.id for n in node.body if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)]
            _add(takers, node.name, _parameters(makers[0]) if makers else fields)
            if not makers:
                bases[node.name] = {base.id for base in node.bases if isinstance(base, ast.Name)}
    for _again in range(3):  # classes of classes of errors
        for name, parents in bases.items():
            for parent in parents & takers.keys():
                takers.setdefault(name, takers[parent])
    return takers


def _add(takers: dict[str, list[Parameters]], name: str, parameters: Parameters) -> None:
    if "code" in parameters:
        takers.setdefault(name, []).append(parameters)


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Parameters:
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    return [name for name in names if name not in ("self", "cls")] + [a.arg for a in function.args.kwonlyargs]


def _codes(tree: ast.Module, takers: dict[str, list[Parameters]]) -> Iterator[tuple[str, str, str]]:
    scopes = _Scopes(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if name == "__init__":  # super().__init__("a.code", ...) of an error
                arguments = dict(zip(("code", "what"), node.args, strict=False))
                arguments |= {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
                yield from _said(node, arguments, scopes)
            for parameters in takers.get(name, ()):
                arguments = dict(zip(parameters, node.args, strict=False))
                arguments |= {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
                yield from _said(node, arguments, scopes)
        elif isinstance(node, ast.Tuple) and len(node.elts) == 3 and not isinstance(node.elts[1], ast.Constant):
            # A mistake on its way to a problem.
            yield from _said(node, dict(zip(("code", "what", "next"), node.elts, strict=True)), scopes)


def _said(node: ast.expr, arguments: dict[str, ast.expr], scopes: _Scopes) -> Iterator[tuple[str, str, str]]:
    codes = [code for code in scopes.texts(arguments.get("code"), node) if CODE.match(code)]
    if not codes:
        return
    whats, advices = (
        next((scopes.texts(arguments[name], node) for name in names if name in arguments), [])
        for names in (("what", "detail", "message"), ("next", "next_"))
    )
    for place, code in enumerate(codes):
        if len(codes) == 1:
            # One code, several wordings: each stands on its own line.
            advice = advices[0] if len(advices) == 1 else ""
            for number, what in enumerate(whats or [UNSTATED]):
                yield code, what, advices[number] if len(advices) == len(whats) else advice
        else:
            yield code, _at(whats, place) or UNSTATED, _at(advices, place)


def _at(texts: list[str], place: int) -> str:
    return texts[place] if place < len(texts) else (texts[0] if texts else "")


class _Scopes:
    """What names stand for in the functions of a module."""

    def __init__(self, tree: ast.Module) -> None:
        self._parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
        self._assigned: dict[ast.AST, list[tuple[int, str, ast.expr]]] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and len(node.targets) == 1:
                target, value = node.targets[0], node.value
                pairs = [(target, value)]
                if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                    pairs = list(zip(target.elts, value.elts, strict=False))
                for left, right in pairs:
                    if isinstance(left, ast.Name):
                        self._assigned.setdefault(self._scope(node), []).append((node.lineno, left.id, right))

    def _scope(self, node: ast.AST) -> ast.AST:
        while node in self._parents:
            node = self._parents[node]
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                break
        return node

    def texts(self, node: ast.expr | None, at: ast.AST, depth: int = 5) -> list[str]:
        """The texts, in English, that ``node`` may stand for; UNSTATED where it is not written in the code."""
        if node is None or depth == 0:
            return []
        if isinstance(node, ast.Constant):
            return [node.value] if isinstance(node.value, str) and node.value else []
        if isinstance(node, ast.JoinedStr):
            return ["".join(map(_shown, node.values))]
        if isinstance(node, ast.IfExp):
            return self.texts(node.body, at, depth) + self.texts(node.orelse, at, depth)
        if isinstance(node, ast.BoolOp):
            return self.texts(node.values[-1], at, depth)
        if isinstance(node, ast.Call):
            return self._called(node, at, depth)
        if isinstance(node, ast.Name):
            return self._named(node.id, at, depth)
        return [UNSTATED]

    def _called(self, node: ast.Call, at: ast.AST, depth: int) -> list[str]:
        if isinstance(node.func, ast.Name) and node.func.id in ("_", "N_"):
            return self.texts(node.args[0], at, depth)
        if isinstance(node.func, ast.Name) and node.func.id == "ngettext":
            return self.texts(node.args[1], at, depth)
        if isinstance(node.func, ast.Attribute) and node.func.attr == "format":
            return self.texts(node.func.value, at, depth)
        return [UNSTATED]

    def _named(self, name: str, at: ast.AST, depth: int) -> list[str]:
        line, scope = getattr(at, "lineno", 0), self._scope(at)
        while True:
            before = [(at_, value) for at_, known, value in self._assigned.get(scope, ()) if known == name]
            before = [(at_, value) for at_, value in before if at_ <= line] or before
            if before:
                return self.texts(before[-1][1], at, depth - 1)
            if scope not in self._parents:
                return [UNSTATED]
            scope = self._scope(scope)


def _shown(part: ast.expr) -> str:
    """A part of an f-string as a message writes it."""
    return str(part.value) if isinstance(part, ast.Constant) else f"{{{ast.unparse(getattr(part, 'value', part))}}}"


# --- all pages ---------------------------------------------------------------------------------------------------


def _row(*cells: str) -> str:
    return "| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in cells) + " |"


PAGES: dict[str, Callable[[], str]] = {
    "commands.md": commands,
    "errors.md": errors,
    "facts.md": facts,
    "roles.md": roles,
    "solution-yaml.md": lambda: sections(kinds()),
}


def main(arguments: list[str]) -> int:
    """Write the pages, or with --check tell which are out of date."""
    stale = 0
    for name, page in PAGES.items():
        path, text = FOLDER / name, page()
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        if "--check" in arguments:
            print(f"docs/reference/{name} is out of date: make reference")
            stale += 1
        else:
            path.write_text(text, encoding="utf-8")
            print(f"docs/reference/{name}")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
