"""What a solution makes public of itself: a person who answers may write it, and it is not masked."""

from __future__ import annotations

from compagnon.privacy.patterns import found
from compagnon.spec.model import ByLanguage, Spec


def public_contacts(spec: Spec) -> frozenset[str]:
    """Addresses and telephones of the help desk and of the privacy contact, as ``mask_text`` spares them."""
    texts = [spec.privacy.contact or ""] if spec.privacy else []
    if spec.tutor and spec.tutor.handover:
        contact = spec.tutor.handover.contact
        texts += contact.model_dump(exclude_none=True).values() if isinstance(contact, ByLanguage) else [contact]
    return frozenset().union(*(found(text) for text in texts))
