"""Regular upkeep of what AI services leave behind: what has come to its end goes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine

from compagnon.operate.usage import record, remember


def purge(engine: Engine, now: datetime) -> dict[str, int]:
    """Delete remembered answers whose time is over, take pseudonyms of 12 months ago from usage; returns how many."""
    return {"remembered_answers": remember.purge(engine, now), "provider_usage": record.purge(engine, now)}
