"""The reference page of roles and rights, made from their table so that it cannot lag behind."""

from __future__ import annotations

from compagnon.access.role import ANONYMOUS_MAY, RIGHTS, ROLES
from compagnon.i18n import _, use

_INTRO = """\
# Rôles et droits · Roles and rights

<!-- Page produite depuis compagnon.access.role ; ne pas la modifier à la main. -->

Chaque compte a un rôle, et un rôle est une liste de droits. Une page ou une API demande un droit, jamais un rôle. Sans
compte, on a les droits que l'administrateur permet ; aucun tant qu'il n'a rien permis. Une clé d'API n'a pas de rôle :
elle a ses propres portées.

*Each account has a role, a role is a list of rights, and a page or an API asks for a right, never for a role. Without
an account one has the rights that the administrator allows, none until then. An API key has no role but scopes of its
own.*
"""


def reference_markdown() -> str:
    """The page: roles, then rights, then who has which."""
    named = [role for role in ROLES.values() if role.name != "anonymous"]
    parts = [_INTRO, "## Rôles · Roles\n"]
    parts.append(
        _table(
            ("rôle · role", "en français", "sens", "meaning"),
            [(f"`{r.name}`", _in("fr", r.word), _in("fr", r.text), _in("en", r.text)) for r in ROLES.values()],
        )
    )
    parts.append(
        '## Droits · Rights\n\n« Écrit » : le droit change ce qui est gardé. *"Writes": changes what is kept.*\n'
    )
    parts.append(
        _table(
            ("droit · right", "sens", "meaning", "écrit · writes"),
            [
                (f"`{r.name}`", _in("fr", r.text), _in("en", r.text), "oui · yes" if r.writes else "")
                for r in RIGHTS.values()
            ],
        )
    )
    parts.append(
        "## Qui a quel droit · Who has which\n\n« permis » : l'administrateur peut le permettre sans compte.\n"
    )
    parts.append(
        _table(
            ("droit · right", *(f"`{role.name}`" for role in named), "`anonymous`"),
            [
                (
                    f"`{right}`",
                    *("oui" if right in role.rights else "" for role in named),
                    "permis" if right in ANONYMOUS_MAY else "",
                )
                for right in RIGHTS
            ],
        )
    )
    return "\n".join(parts)


def _in(language: str, text: str) -> str:
    with use(language):
        return _(text)


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in lines)
