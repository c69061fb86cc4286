"""Columns that probably hold personal data: by their name, by the form of their values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from compagnon.i18n import N_
from compagnon.privacy.patterns import PATTERNS
from compagnon.scaffold.folder import slug
from compagnon.spec.model import PersonalClass
from compagnon.stages.prepare.infer import Because

LOOKED_AT = 1000
"""Values of a column whose form is looked at."""

_NAMES: dict[PersonalClass, str] = {
    "email": r"(.*_)?(e_?mails?|courriels?)(_.*)?|mel|adresse_(mail|email|electronique)",
    "phone": r"(tele)?phones?(_number)?|tel|telephones?|mobile|portable|gsm|fax",
    "name": r"(full|first|last|sur|given|family|user|customer|client|patient|student|author|contact)_?name|name"
    r"|nom|prenoms?|nom_.*|auteur|author|eleve|etudiant|apprenant|learner|student",
    "address": r"(.*_)?(address|adresse|street|rue|zip|zip_?code|postcode|postal_code|code_postal|cp)",
    "birth": r"(.*_)?(birth(day|date|_date)?|dob|naissance|date_naissance|date_de_naissance)",
    "bank": r"(.*_)?(iban|bic|rib|card_number|credit_card|numero_carte|carte_bancaire)",
    "identifier": r"nir|ssn|ine|matricule|login|passport|social_security(_number)?|num_secu|numero_securite_sociale"
    r"|(customer|client|user|patient|student|learner|person|eleve|etudiant|apprenant|employee|account)_?(id|no|number)"
    r"|id_(client|eleve|etudiant|apprenant|patient|personne|utilisateur)|utilisateur|username",
    "online": r"ip|ip_?addr(ess)?|adresse_ip|cookie|user_agent|device_id|mac_address",
    "health": r"diagnos(is|tic)|disease|maladie|pathologie|health|sante|medication|traitement_medical",
    "opinion": r"religion|political_party|opinion_politique|syndicat|trade_union",
}
_SENSITIVE = re.compile(
    r"race|ethnic(ity|_group)?|sexe?|gender|genre|nationality|nationalite|native_country|country_of_birth"
    r"|pays_naissance|disability|handicap|marital_status|situation_familiale|age"
)
_FORMS: dict[str, PersonalClass] = {
    "email": "email", "iban": "bank", "nir": "identifier", "card": "bank", "phone": "phone"
}  # fmt: skip


@dataclass(frozen=True)
class Personal:
    """A class of personal data with why it is believed."""

    kind: PersonalClass
    because: Because


def of_name(name: str) -> Personal | None:
    """What the name of a column says."""
    plain = slug(name, between="_", fallback="x")
    for kind, form in _NAMES.items():
        if re.fullmatch(form, plain):
            return Personal(kind, Because(N_("the name of the column says so")))
    return None


def of_values(values: Sequence[str], words: float) -> Personal | None:
    """What the form of up to LOOKED_AT values says; a long text that holds some is ``free_text``."""
    seen = [value for value in values[:LOOKED_AT] if value]
    if not seen:
        return None
    counts: dict[str, int] = {}
    for value in seen:
        for pattern in PATTERNS:
            if pattern.name in _FORMS and any(pattern.proof(m[0]) for m in pattern.form.finditer(value)):
                counts[pattern.name] = counts.get(pattern.name, 0) + 1
                break
    if not counts:
        return None
    kind, count = max(counts.items(), key=lambda pair: (pair[1], pair[0]))
    if words >= 3:
        message = N_("texts of people; {count} of {seen} hold personal data ({kinds})")
        values_ = {"count": sum(counts.values()), "seen": len(seen), "kinds": ", ".join(sorted(counts))}
        return Personal("free_text", Because(message, values_))
    if count >= len(seen) / 2:
        message = N_("{count} of {seen} values have the form of such data ({kinds})")
        return Personal(_FORMS[kind], Because(message, {"count": count, "seen": len(seen), "kinds": kind}))
    return None


def is_sensitive(name: str) -> bool:
    """Whether a column may lead to treating people unequally: to be looked at, not hidden."""
    return _SENSITIVE.fullmatch(slug(name, between="_", fallback="x")) is not None
