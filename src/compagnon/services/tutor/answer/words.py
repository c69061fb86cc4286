"""What the tutor says of itself, in the reader's language."""

from __future__ import annotations

from collections.abc import Sequence

from compagnon.i18n import _
from compagnon.services.tutor.answer.scope import Reason


def notice(*, desk: bool = False) -> str:
    """That one talks to an AI (Regulation (EU) 2024/1689, article 50), for every place where one asks."""
    if desk:
        return _(
            "You are talking to an AI, not to a person. It answers from the firm's FAQ and cites it; it can be wrong. "
            "Ask for a person at any time. Do not write anything confidential."
        )
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


def not_checked(*, desk: bool = False) -> str:
    if desk:
        return _("I am not sure of this answer: what no entry of the FAQ supports was left out.")
    return _(
        "I am not sure of this answer: what no passage of the knowledge base supports was left out. "
        "Check it with your teacher."
    )


def unsure(*, desk: bool = False) -> str:
    if desk:
        return _("I am not sure that this answers your question: ask for a person if it does not.")
    return _("I am not sure that this answers your question: read the passages, and ask your teacher.")


def hints_first() -> str:
    return _("This is an exercise: here are hints first. Try, then tell me what you found or ask for the solution.")


def refusal(reason: Reason, topics: Sequence[str], *, desk: bool = False) -> str:
    """A kind refusal with what can be asked instead."""
    if reason == "person":
        return _("You would like to speak with a person.")
    if desk and reason == "nothing-asked":
        first = _("Hello! What is your question?")
    elif reason == "unreviewed":
        first = _("There are passages on this that nobody has reviewed yet, and I do not answer from those.")
    elif desk:
        first = _("I do not find the answer to this question in the FAQ, and I prefer not to invent one.")
    elif reason == "nothing-asked":
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
