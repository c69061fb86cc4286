"""Tables of the ledger and of operations.

``info={"personal": ...}`` says which tables hold personal data, for the register of processing activities.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Serial = BigInteger().with_variant(Integer, "sqlite")
Moment = DateTime(timezone=True)

runs = Table(
    "runs",
    metadata,
    Column("seq", Serial, primary_key=True, autoincrement=True, comment="order of the ledger, whatever clocks say"),
    Column("id", String(32), nullable=False, unique=True),
    Column("version", Integer, nullable=False),
    Column("stage", String(160), nullable=False),
    Column("status", String(16), nullable=False),
    Column("key", JSON, nullable=False),
    Column("key_digest", String(64), nullable=False),
    Column("started", Moment, nullable=False),
    Column("ended", Moment, nullable=False),
    Column("reason", Text, nullable=False),
    Column("spec", String(64), nullable=False),
    Column("inputs", JSON, nullable=False),
    Column("outputs", JSON, nullable=False),
    Column("facts", JSON, nullable=False),
    Column("warnings", JSON, nullable=False),
    Column("environment", JSON, nullable=False),
    Column("error", JSON),
    Index("ix_runs_stage_key", "stage", "key_digest"),
    info={"personal": None},
)

specs = Table(
    "specs",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("text", Text, nullable=False),
    info={"personal": "contacts named in solution.yaml"},
)

notes = Table(
    "notes",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False),
    Column("author", String(200), nullable=False),
    Column("text", Text, nullable=False),
    Column("about", String(160)),
    info={"personal": "author; what a person writes"},
)

corrections = Table(
    "corrections",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False),
    Column("author", String(200), nullable=False),
    Column("table_name", String(64), nullable=False),
    Column("row_id", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("column_name", String(64)),
    Column("value", Text),
    Column("because", Text, nullable=False),
    Index("ix_corrections_table_name", "table_name"),
    info={"personal": "author; corrected values"},
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("kind", String(64), nullable=False),
    Column("payload", JSON, nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("asked", Moment, nullable=False),
    Column("asked_by", String(200), nullable=False),
    Column("holder", String(200)),
    Column("lease_until", Moment),
    Column("started", Moment),
    Column("ended", Moment),
    Column("cancel", Boolean, nullable=False, default=False),
    Column("progress", JSON, nullable=False),
    Column("error", JSON),
    info={"personal": "who asked"},
)

keys = Table(
    "keys",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("hash", String(64), nullable=False, unique=True, comment="SHA-256 of a random key of 256 bits"),
    Column("label", String(200), nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("created", Moment, nullable=False),
    Column("expires", Moment),
    Column("revoked", Moment),
    info={"personal": "label may name a person or a service"},
)

feedback = Table(
    "feedback",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False),
    Column("author", String(200), nullable=False),
    Column("model", String(64), nullable=False),
    Column("model_version", String(64), nullable=False),
    Column("prediction", String(64)),
    Column("kind", String(16), nullable=False, comment="wrong, right or decided"),
    Column("input", JSON, comment="masked"),
    Column("predicted", Text),
    Column("confidence", Float),
    Column("expected", Text),
    Column("comment", Text),
    info={"personal": "author; masked input"},
)

prediction_segments = Table(
    "prediction_segments",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("path", Text, nullable=False, unique=True),
    Column("model", String(64), nullable=False),
    Column("first", Moment, nullable=False),
    Column("last", Moment, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    info={"personal": "masked inputs of predictions"},
)

accounts = Table(
    "accounts",
    metadata,
    Column("id", String(32), primary_key=True, comment="random; stands for the person wherever an author is written"),
    Column("sign_in", String(200), nullable=False, unique=True, comment="name or e-mail, normalized"),
    Column("name", String(100), nullable=False),
    Column("role", String(16), nullable=False),
    Column("language", String(2)),
    Column("password", Text, comment="Argon2id with its salt and parameters; null until the invitation is taken up"),
    Column("created", Moment, nullable=False),
    Column("password_changed", Moment),
    Column("disabled", Moment),
    info={"personal": "who may sign in: name, e-mail, language"},
)


def _of_account(*, nullable: bool = False) -> Column[str]:
    return Column(
        "account_id", String(32), ForeignKey("accounts.id", ondelete="CASCADE"), nullable=nullable, index=True
    )


sessions = Table(
    "sessions",
    metadata,
    Column("id", String(32), primary_key=True),
    _of_account(),
    Column("created", Moment, nullable=False),
    Column("seen", Moment, nullable=False, comment="to the minute"),
    Column("until", Moment, nullable=False, comment="over then unless seen again"),
    Column("ends", Moment, nullable=False, comment="over then in any case"),
    Column("remembered", Boolean, nullable=False),
    Column("generation", Integer, nullable=False, comment="counts renewals; older refresh tokens are used up"),
    Column("renewed", Moment, nullable=False),
    Column("browser", String(80), nullable=False, comment="family and system only"),
    Column("network", String(64), nullable=False, comment="truncated address"),
    info={"personal": "who is signed in, since when, browser family, truncated address"},
)

session_tokens = Table(
    "session_tokens",
    metadata,
    Column("hash", String(64), primary_key=True, comment="SHA-256 of a random token of 256 bits"),
    Column("session_id", String(32), ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("kind", String(8), nullable=False, comment="access or refresh"),
    Column("generation", Integer, nullable=False),
    Column("expires", Moment, nullable=False),
    info={"personal": "hashed tokens of a person's sessions"},
)

one_time_links = Table(
    "one_time_links",
    metadata,
    Column("hash", String(64), primary_key=True, comment="SHA-256 of a random token of 256 bits"),
    Column("purpose", String(16), nullable=False, comment="first, invitation or reset"),
    _of_account(nullable=True),
    Column("created", Moment, nullable=False),
    Column("expires", Moment, nullable=False),
    info={"personal": "who is invited or sets a new password"},
)

throttles = Table(
    "throttles",
    metadata,
    Column("subject", String(80), primary_key=True, comment="keyed hash of a sign-in name, an address or both"),
    Column("failures", Integer, nullable=False),
    Column("last", Moment, nullable=False),
    Column("until", Moment, nullable=False),
    Index("ix_throttles_last", "last"),
    info={"personal": "pseudonyms of sign-in names and addresses, one day"},
)

access_events = Table(
    "access_events",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False, index=True),
    Column("kind", String(32), nullable=False),
    Column("account_id", String(32), index=True, comment="no foreign key: the trace outlives the account, anonymous"),
    Column("actor", String(64), comment="who did it, where it was not that person"),
    Column("detail", String(200)),
    Column("browser", String(80)),
    Column("network", String(64)),
    info={"personal": "sign-ins and changes of accounts, truncated addresses, 12 months"},
)

settings = Table(
    "settings",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", JSON, nullable=False),
    Column("changed", Moment, nullable=False),
    Column("changed_by", String(64)),
    info={"personal": "who changed a setting"},
)

provider_usage = Table(
    "provider_usage",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False),
    Column("day", String(10), nullable=False, comment="UTC, as 2026-11-21: ceilings count by it"),
    Column("person", String(64), comment="pseudonym of who asked"),
    Column("provider", String(63), nullable=False),
    Column("model", String(200), nullable=False),
    Column("state", String(10), nullable=False, comment="reserved, done, stopped, failed or cached"),
    Column("reason", String(32), comment="of a failure"),
    Column("prompt_tokens", Integer, nullable=False),
    Column("completion_tokens", Integer, nullable=False),
    Column("counted", Boolean, nullable=False, comment="by the service; else estimated here"),
    Column("cost_nano", BigInteger, comment="billionths of the currency; null where the price is not known"),
    Column("currency", String(3)),
    Column("energy_min", Float, comment="Wh"),
    Column("energy_max", Float, comment="Wh"),
    Column("carbon_min", Float, comment="g CO2 equivalent"),
    Column("carbon_max", Float, comment="g CO2 equivalent"),
    Column("first_ms", Integer, comment="wait for the first word"),
    Column("whole_ms", Integer),
    Index("ix_provider_usage_provider_day", "provider", "day"),
    Index("ix_provider_usage_person_day", "person", "day"),
    info={"personal": "pseudonym of who asked an AI service, when, and how much; pseudonyms 12 months"},
)

remembered_answers = Table(
    "remembered_answers",
    metadata,
    Column("key", String(64), primary_key=True, comment="keyed hash of the masked request"),
    Column("provider", String(63), nullable=False),
    Column("model", String(200), nullable=False),
    Column("text", Text, nullable=False, comment="masked"),
    Column("finish", String(8), nullable=False),
    Column("prompt_tokens", Integer, nullable=False),
    Column("completion_tokens", Integer, nullable=False),
    Column("created", Moment, nullable=False),
    Column("expires", Moment, nullable=False, index=True),
    Column("used", Moment, nullable=False),
    Column("times", Integer, nullable=False),
    info={"personal": "masked answers to questions, as long as remember.keep of the provider says"},
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", String(32), primary_key=True, comment="random"),
    Column("owner", String(80), nullable=False, comment="person:ID, or anonymous: and a keyed hash of a cookie"),
    Column("title", String(120), nullable=False, comment="masked"),
    Column("level", String(16), comment="as the learner chose it; null: inferred from each question"),
    Column("created", Moment, nullable=False),
    Column("used", Moment, nullable=False),
    Index("ix_conversations_owner_used", "owner", "used"),
    Index("ix_conversations_used", "used"),
    info={"personal": "who talks with the tutor, masked titles; as long as privacy.keep.conversations says"},
)

turns = Table(
    "turns",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column(
        "conversation_id", String(32), ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("at", Moment, nullable=False),
    Column("state", String(8), nullable=False, comment="asked, done or stopped"),
    Column("question", Text, nullable=False, comment="masked"),
    Column("understood", Text, comment="masked, with what an earlier turn adds"),
    Column("answer", Text, comment="masked"),
    Column("lines", JSON),
    Column("citations", JSON),
    Column("level", String(16)),
    Column("how", String(16)),
    Column("mode", String(16)),
    Column("provider", String(63)),
    Column("sure", Boolean),
    Column("refused", Boolean),
    Column("failure", String(64)),
    Column("tokens", Integer),
    Column("cost", Float),
    Column("subtopics", JSON),
    Column("rating", String(8), comment="good or bad"),
    Column("rated", Moment),
    info={"personal": "masked questions to the tutor and their answers"},
)

answer_corrections = Table(
    "answer_corrections",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("turn_id", Serial, ForeignKey("turns.id", ondelete="SET NULL"), index=True),
    Column("at", Moment, nullable=False),
    Column("author", String(80), nullable=False),
    Column("question", Text, nullable=False, comment="masked"),
    Column("answer", Text, nullable=False, comment="masked"),
    Column("text", Text, nullable=False, comment="what is said to be right, masked"),
    Column("subtopic", String(130)),
    Column("state", String(10), nullable=False, comment="open, accepted or refused"),
    Column("decided", Moment),
    Column("decided_by", String(80)),
    Column("why", Text, comment="of the decision"),
    Index("ix_answer_corrections_state", "state"),
    info={"personal": "who corrected an answer of the tutor, masked texts"},
)

handovers = Table(
    "handovers",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column(
        "conversation_id", String(32), ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("at", Moment, nullable=False),
    Column("reason", String(8), nullable=False, comment="asked, refused or unsure"),
    Column("state", String(8), nullable=False, comment="waiting, taken or closed"),
    Column("taken", Moment),
    Column("taken_by", String(80)),
    Column("closed", Moment),
    Column("closed_by", String(80)),
    Column("answer", Text, comment="what the person answered, masked"),
    Index("ix_handovers_state_at", "state", "at"),
    info={
        "personal": "conversations handed over to a person, and who took them; as long as the conversation, and once "
        "closed as long as privacy.keep.handovers says"
    },
)

handover_messages = Table(
    "handover_messages",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column(
        "conversation_id", String(32), ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("handover_id", Serial, ForeignKey("handovers.id", ondelete="SET NULL"), index=True),
    Column("at", Moment, nullable=False),
    Column("side", String(8), nullable=False, comment="person or owner"),
    Column("by", String(80), comment="who answered, as long as the handover is kept; null for the owner"),
    Column("text", Text, nullable=False, comment="masked"),
    info={"personal": "what a person and the owner of a conversation wrote to each other; as long as the conversation"},
)

faq_decisions = Table(
    "faq_decisions",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False),
    Column("by", String(80), nullable=False),
    Column("state", String(8), nullable=False, comment="accepted or refused"),
    Column("proposal", String(16), nullable=False, index=True),
    Column("question", Text, nullable=False, comment="of a group of people, masked"),
    Column("people", Integer, nullable=False),
    Column("entry", String(130), comment="id in the knowledge base"),
    Column("patch", Text, comment="of the file of the knowledge base, as a unified diff"),
    Column("why", Text, comment="of the decision"),
    info={"personal": "who decided of a proposed entry of the FAQ"},
)

prompt_variants = Table(
    "prompt_variants",
    metadata,
    Column("digest", String(64), primary_key=True, comment="SHA-256 of the text, without its version"),
    Column("name", Text, nullable=False, comment="file in which it was first played"),
    Column("version", String(32), nullable=False),
    Column("text", Text, nullable=False),
    Column("at", Moment, nullable=False),
    info={"personal": None},
)

prompt_answers = Table(
    "prompt_answers",
    metadata,
    Column("prompt", String(64), ForeignKey("prompt_variants.digest", ondelete="CASCADE"), primary_key=True),
    Column(
        "conditions",
        String(64),
        primary_key=True,
        comment="SHA-256 of the questions, the knowledge base, the service, its model and settings",
    ),
    Column("number", Integer, primary_key=True, autoincrement=False, comment="of the question in its set, from 1"),
    Column("questions", Text, nullable=False, comment="file of the set"),
    Column("count", Integer, nullable=False, comment="questions of the set"),
    Column("question", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("provider", String(63), nullable=False),
    Column("model", String(200), nullable=False),
    Column("text", Text, nullable=False, comment="what the model wrote, before the checks"),
    Column("measures", JSON, nullable=False),
    info={"personal": None},
)
