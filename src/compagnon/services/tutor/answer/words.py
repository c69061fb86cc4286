"""What the tutor says of itself, in the reader's language."""

from __future__ import annotations

from collections.abc import Sequence

from compagnon.i18n import _
from compagnon.services.tutor.answer.scope import Reason


def notice() -> str:
    """That one talks to an AI (Regulation (EU) 2024/1689, article 50), for every place where one asks."""
    return _(
        "You are talking to an AI, not to a person. It answers from the course's knowledge base and cites its "
        "passages; "
        "it can be wrong. Do not write anything confidential."
    )


def written_without_model() -> str:
    return _("No language model wrote this: these are passages of the knowledge base, put in order.")


def fell_back(what: str) -> str:
    """``what``: the failure in a sentence."""
    return _("{what} Here are passages of the knowledge base, put in order without a language model.").format(what=what)


def not_checked() -> str:
    return _(
        "I am not sure of this answer: what no passage of the knowledge base supports was left out. "
        "Check it with your teacher."
    )


def unsure() -> str:
    return _("I am not sure that this answers your question: read the passages, and ask your teacher.")


def hints_first() -> str:
    return _("This is an exercise: here are hints first. Try, then tell me what you found or ask for the solution.")


def refusal(reason: Reason, topics: Sequence[str]) -> str:
    """A kind refusal with what can be asked instead."""
    if reason == "nothing-asked":
        first = _("Hello! Ask me a question about the course.")
    elif reason == "elsewhere":
        first = _("This is outside the course, so I cannot help you with it.")
    elif reason == "private":
        first = _("I cannot know this: I only read the course, not what happens in your class, your files or the news.")
    else:
        first = _("I do not find the answer to this question in the knowledge base, and I prefer not to invent one.")
    if not topics:
        return first
    near = _("I can speak of: {topics}.").format(topics=" ; ".join(topics))
    return f"{first} {near}"
