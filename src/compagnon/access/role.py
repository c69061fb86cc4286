"""What each role may do: one table, from which the reference page is made and against which every route is tested."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from compagnon.errors import UserError
from compagnon.i18n import N_, _


@dataclass(frozen=True)
class Right:
    """One thing that may be allowed; ``writes`` says whether it changes what is kept. Texts are to be translated."""

    name: str
    text: str
    writes: bool = False

    @property
    def meaning(self) -> str:
        """What it allows, in the language in use."""
        return _(self.text)


@dataclass(frozen=True)
class Role:
    """A name for a set of rights. Texts are to be translated."""

    name: str
    word: str
    text: str
    rights: frozenset[str]

    @property
    def title(self) -> str:
        """Its name in the language in use."""
        return _(self.word)

    @property
    def meaning(self) -> str:
        """Who it is for, in the language in use."""
        return _(self.text)


_RIGHTS = (
    Right("solution.read", N_("read the solution's state, its runs, reports and logbook")),
    Right("data.read", N_("read rows of prepared tables")),
    Right("quarantine.read", N_("read rows set aside, which may hold personal data in the clear")),
    Right("quarantine.restore", N_("restore a row set aside"), writes=True),
    Right("run.start", N_("start or resume a run"), writes=True),
    Right("run.cancel", N_("cancel a run"), writes=True),
    Right("note.write", N_("write in the logbook"), writes=True),
    Right("model.try", N_("try a model; the prediction is recorded as any other")),
    Right("feedback.read", N_("read what people said of predictions")),
    Right("feedback.write", N_("say whether a prediction is right"), writes=True),
    Right("tutor.ask", N_("ask the tutor and read its knowledge base; conversations are one's own")),
    Right("tutor.review", N_("review corrections of the tutor and see what is asked, in groups"), writes=True),
    Right(
        "desk.answer",
        N_("read and answer conversations handed over to a person, and let the FAQ grow from them"),
        writes=True,
    ),
    Right("usage.read", N_("read what AI services used and cost")),
    Right("account.own", N_("change one's own password and sessions"), writes=True),
    Right("key.manage", N_("create and revoke API keys"), writes=True),
    Right("account.manage", N_("invite people, change roles"), writes=True),
    Right("settings.manage", N_("change the application's settings"), writes=True),
    Right("audit.read", N_("read the traces of sign-ins")),
)

RIGHTS = MappingProxyType({right.name: right for right in _RIGHTS})
"""Every right by its name, in the order of the reference page."""

_LOOK = frozenset({"solution.read", "data.read"})
_OWN = frozenset({"account.own"})

_ROLES = (
    Role("admin", N_("administrator"), N_("may do everything"), frozenset(RIGHTS)),
    Role(
        "operator",
        N_("operator"),
        N_("keeps the solution going: runs, quarantine, keys, conversations handed over"),
        _LOOK
        | _OWN
        | {"quarantine.read", "quarantine.restore", "run.start", "run.cancel", "note.write"}
        | {"model.try", "feedback.read", "feedback.write", "key.manage"}
        | {"tutor.ask", "desk.answer", "usage.read"},
    ),
    Role(
        "teacher",
        N_("teacher"),
        N_("follows use, reads what people said, keeps the logbook"),
        _LOOK
        | _OWN
        | {"note.write", "model.try", "feedback.read", "feedback.write"}
        | {"tutor.ask", "tutor.review", "usage.read"},
    ),
    Role(
        "learner",
        N_("learner"),
        N_("uses the model and says when it is wrong"),
        _OWN | {"solution.read", "model.try", "feedback.write", "tutor.ask"},
    ),
    Role("reader", N_("reader"), N_("reads the solution and its data"), _LOOK | _OWN),
    Role(
        "jury",
        N_("jury"),
        N_("sees all that serves as proof and tries the model, without changing anything"),
        _LOOK | _OWN | {"model.try", "feedback.read", "tutor.ask", "usage.read"},
    ),
    Role(
        "anonymous",
        N_("anonymous"),
        N_("without an account: what the administrator allows, nothing at first"),
        frozenset(),
    ),
)

ROLES = MappingProxyType({role.name: role for role in _ROLES})
"""Every role by its name; ``anonymous`` is for those without an account."""

ACCOUNT_ROLES = tuple(name for name in ROLES if name != "anonymous")
"""Roles that an account may have."""

ANONYMOUS_MAY = frozenset({"solution.read", "data.read", "model.try", "feedback.write", "tutor.ask"})
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
