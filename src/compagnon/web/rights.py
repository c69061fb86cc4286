"""Who may ask for what: every route by its name, with the right it needs. A route that stands in no line is refused.

A new page adds one line here; ``web.door`` enforces it, and tests try every line with every role.
"""

from __future__ import annotations

from types import MappingProxyType

PUBLIC = "public"
"""For everybody who can reach the server."""
KEY = "key"
"""For programs with a key that allows it; no session counts."""
LOCAL_OR_KEY = "local-or-key"
"""For programs of this machine, and others with any valid key."""

NEEDED = MappingProxyType(
    {
        # Programs (the model API checks keys itself)
        "predict": KEY,
        "completions": KEY,
        "models": LOCAL_OR_KEY,
        "model": LOCAL_OR_KEY,
        "openapi": LOCAL_OR_KEY,
        "metrics": LOCAL_OR_KEY,
        "live": PUBLIC,
        "ready": PUBLIC,
        "style": PUBLIC,
        "script": PUBLIC,
        "chat-script": PUBLIC,
        # Pages
        "home": "solution.read",
        "logbook": "solution.read",
        "logbook.file": "solution.read",
        "logbook.add": "note.write",
        "run": "solution.read",
        "quality": "solution.read",
        "quality.file": "solution.read",
        "try": "model.try",
        "try.ask": "model.try",
        "try.feedback": "feedback.write",
        "help": PUBLIC,
        "api-docs": "solution.read",
        "sources": "solution.read",
        "source": "solution.read",
        "queries": "solution.read",
        "query": "solution.read",
        "tables": "solution.read",
        "table": "solution.read",
        "table.export": "data.read",
        "quarantine": "solution.read",
        "quarantine.restore": "quarantine.restore",
        "quarantine.row": "quarantine.restore",
        "quarantine.correct": "quarantine.restore",
        "model-page": "solution.read",
        "model-card": "solution.read",
        "model-card.file": "solution.read",
        "model-chart": "solution.read",
        "runs": "solution.read",
        "runs.start": "run.start",
        "job": "solution.read",
        "job.events": "solution.read",
        "job.cancel": "run.cancel",
        "job.resume": "run.start",
        "guide": PUBLIC,
        "site-map": PUBLIC,
        "contact": PUBLIC,
        "legal": PUBLIC,
        "accessibility": PUBLIC,
        "components": PUBLIC,
        # The tutor
        "tutor": "tutor.ask",
        "tutor.start": "tutor.ask",
        "conversation": "tutor.ask",
        "conversation.say": "tutor.ask",
        "conversation.rename": "tutor.ask",
        "conversation.delete": "tutor.ask",
        "conversation.export": "tutor.ask",
        "turn.events": "tutor.ask",
        "turn.stop": "tutor.ask",
        "turn.retry": "tutor.ask",
        "turn.rate": "tutor.ask",
        "turn.correct": "tutor.ask",
        "knowledge": "tutor.ask",
        "knowledge.glossary": "tutor.ask",
        "knowledge.topic": "tutor.ask",
        "knowledge.subtopic": "tutor.ask",
        "knowledge.drawing": "tutor.ask",
        "corrections": "tutor.review",
        "correction": "tutor.review",
        "correction.propose": "tutor.review",
        "correction.decide": "tutor.review",
        "asked": "tutor.review",
        "providers": "usage.read",
        # Access
        "first": PUBLIC,
        "first.create": PUBLIC,
        "link": PUBLIC,
        "link.use": PUBLIC,
        "sign-in": PUBLIC,
        "sign-in.enter": PUBLIC,
        "sign-out": PUBLIC,
        "account": "account.own",
        "account.details": "account.own",
        "account.password": "account.own",
        "account.sessions": "account.own",
        "account.export": "account.own",
        "account.erase": "account.own",
        "accounts": "account.manage",
        "accounts.invite": "account.manage",
        "accounts.one": "account.manage",
        "accounts.change": "account.manage",
        "settings": "settings.manage",
        "settings.change": "settings.manage",
        "audit": "audit.read",
        "keys": "key.manage",
        "keys.create": "key.manage",
        "keys.revoke": "key.manage",
    }
)
"""The right that each route needs, by the name it is registered under."""
