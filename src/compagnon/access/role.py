"""What each role may do: one table, from which the reference page is made and against which every route is tested."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from compagnon.errors import UserError
from compagnon.i18n import _


@dataclass(frozen=True)
class Right:
    """One thing that may be allowed; ``writes`` says whether it changes what is kept."""

    name: str
    fr: str
    en: str
    writes: bool = False

    @property
    def meaning(self) -> dict[str, str]:
        return {"fr": self.fr, "en": self.en}


@dataclass(frozen=True)
class Role:
    """A name for a set of rights."""

    name: str
    fr: str
    en: str
    meaning_fr: str
    meaning_en: str
    rights: frozenset[str]

    @property
    def title(self) -> dict[str, str]:
        return {"fr": self.fr, "en": self.en}

    @property
    def meaning(self) -> dict[str, str]:
        return {"fr": self.meaning_fr, "en": self.meaning_en}


_RIGHTS = (
    Right(
        "solution.read",
        "lire l'état de la solution, ses exécutions, ses rapports, son journal de bord",
        "read the solution's state, its runs, reports and logbook",
    ),
    Right("data.read", "lire les lignes des tables préparées", "read rows of prepared tables"),
    Right(
        "quarantine.read",
        "lire les lignes écartées, qui peuvent contenir des données personnelles en clair",
        "read rows set aside, which may hold personal data in the clear",
    ),
    Right("quarantine.restore", "rétablir une ligne écartée", "restore a row set aside", writes=True),
    Right("run.start", "lancer ou reprendre une exécution", "start or resume a run", writes=True),
    Right("run.cancel", "arrêter une exécution", "cancel a run", writes=True),
    Right("note.write", "écrire dans le journal de bord", "write in the logbook", writes=True),
    Right(
        "model.try",
        "essayer un modèle ; la prédiction est enregistrée comme toute autre",
        "try a model; the prediction is recorded as any other",
    ),
    Right("feedback.read", "lire les avis donnés sur les prédictions", "read what people said of predictions"),
    Right("feedback.write", "donner un avis sur une prédiction", "say whether a prediction is right", writes=True),
    Right(
        "account.own", "changer son mot de passe, ses sessions", "change one's own password and sessions", writes=True
    ),
    Right("key.manage", "créer et révoquer des clés d'API", "create and revoke API keys", writes=True),
    Right("account.manage", "inviter des personnes, changer leurs rôles", "invite people, change roles", writes=True),
    Right("settings.manage", "changer les réglages de l'application", "change the application's settings", writes=True),
    Right("audit.read", "lire les traces des connexions", "read the traces of sign-ins"),
)

RIGHTS = MappingProxyType({right.name: right for right in _RIGHTS})
"""Every right by its name, in the order of the reference page."""

_LOOK = frozenset({"solution.read", "data.read"})
_OWN = frozenset({"account.own"})

_ROLES = (
    Role("admin", "administrateur", "administrator", "peut tout", "may do everything", frozenset(RIGHTS)),
    Role(
        "operator",
        "opérateur",
        "operator",
        "fait vivre la solution : exécutions, quarantaine, clés",
        "keeps the solution going: runs, quarantine, keys",
        _LOOK
        | _OWN
        | {"quarantine.read", "quarantine.restore", "run.start", "run.cancel", "note.write"}
        | {"model.try", "feedback.read", "feedback.write", "key.manage"},
    ),
    Role(
        "teacher",
        "enseignant",
        "teacher",
        "suit l'usage, lit les avis, tient le journal de bord",
        "follows use, reads what people said, keeps the logbook",
        _LOOK | _OWN | {"note.write", "model.try", "feedback.read", "feedback.write"},
    ),
    Role(
        "learner",
        "apprenant",
        "learner",
        "se sert du modèle et dit s'il se trompe",
        "uses the model and says when it is wrong",
        _OWN | {"solution.read", "model.try", "feedback.write"},
    ),
    Role(
        "reader", "lecteur", "reader", "lit la solution et ses données", "reads the solution and its data", _LOOK | _OWN
    ),
    Role(
        "jury",
        "jury",
        "jury",
        "voit tout ce qui sert de preuve et essaie le modèle, sans rien changer",
        "sees all that serves as proof and tries the model, without changing anything",
        _LOOK | _OWN | {"model.try", "feedback.read"},
    ),
    Role(
        "anonymous",
        "anonyme",
        "anonymous",
        "sans compte : ce que l'administrateur permet, rien au départ",
        "without an account: what the administrator allows, nothing at first",
        frozenset(),
    ),
)

ROLES = MappingProxyType({role.name: role for role in _ROLES})
"""Every role by its name; ``anonymous`` is for those without an account."""

ACCOUNT_ROLES = tuple(name for name in ROLES if name != "anonymous")
"""Roles that an account may have."""

ANONYMOUS_MAY = frozenset({"solution.read", "data.read", "model.try", "feedback.write"})
"""The most that an administrator can allow without an account."""


def allows(role: str, right: str) -> bool:
    """Whether ``role`` has ``right``; an unknown role has none. Raises KeyError for a right that does not exist."""
    RIGHTS[right]
    return right in rights_of(role)


def rights_of(role: str) -> frozenset[str]:
    """The rights of ``role``; none for a name that is no role."""
    found = ROLES.get(role)
    return found.rights if found else frozenset()


def check_role(name: str) -> str:
    """``name`` if an account may have that role; raises UserError ``role.unknown``."""
    if name not in ACCOUNT_ROLES:
        raise UserError(
            "role.unknown",
            _("There is no role {name}.").format(name=name),
            next=_("Roles: {roles}.").format(roles=", ".join(ACCOUNT_ROLES)),
        )
    return name
