"""The same rows give the same digests, however they arrive and however many threads work; none is lost."""

from __future__ import annotations

import random
import stat
from typing import Any

import pyarrow as pa
import pytest

TABLE = {
    "from": {"s": {"k": "K", "n": "N", "d": "D", "mail": "M", "text": "T"}},
    "columns": {
        "k": {"type": "text", "clean": ["fold"]},
        "n": {"type": "decimal", "formats": ["fr"], "at_most": 900},
        "d": {"type": "timestamp", "formats": ["%d/%m/%Y %H:%M", "iso"]},
        "mail": {"type": "text", "personal": "email"},
        "text": {"type": "text", "personal": "free_text", "clean": ["html", "spaces"]},
        "size": {"type": "integer", "expr": "length(text)"},
    },
    "reject": [{"when": "size < 4", "because": {"fr": "court", "en": "short"}}],
    "unique": {"by": ["k"], "prefer": ["n desc", "d"]},
}


def rows(count: int, seed: int = 1) -> pa.Table:
    pick = random.Random(seed)
    return pa.Table.from_pylist(
        [
            {
                "_row_id": f"s:{i:06}",
                "_source": "s",
                "K": pick.choice(["Été", "ete", "hiver", f"k{pick.randrange(count)}", None]),
                "N": pick.choice(["1 000,5", "12,25", "x", "", f"{pick.randrange(1000)},5"]),
                "D": pick.choice(["01/02/2024 10:00", "2024-02-01T09:00:00Z", "31/02/2024 00:00", None]),
                "M": f"u{pick.randrange(20)}@example.org",
                "T": pick.choice(["écrire à a.b@example.org &amp; co", "abc", "appeler le 06 12 34 56 78", None]),
            }
            for i in range(count)
        ]
    )


def outcome(done: Any) -> tuple[str, ...]:
    return tuple(done.digest(f"{kind}/t") for kind in ("table", "quarantine", "quality"))


def test_order_pieces_and_threads_do_not_matter(new_kitchen: Any) -> None:
    given = rows(5000)
    shuffled = given.take(pa.array(random.Random(7).sample(range(5000), 5000)))
    first = new_kitchen("a").prepare(TABLE, {"s": given}, threads=1)
    second = new_kitchen("b").prepare(TABLE, {"s": shuffled}, threads=2, pieces=7)
    assert outcome(first) == outcome(second)
    assert first.facts == second.facts
    assert 0 < first.facts["rows_duplicate"] < first.facts["rows_rejected"] < 5000


@pytest.mark.parametrize("seed", range(4))
def test_every_row_is_prepared_or_in_quarantine(kitchen: Any, seed: int) -> None:
    given = rows(800, seed)
    done = kitchen.prepare(TABLE, {"s": given})
    kept, aside = set(done.column("row_id")), set(done.quarantine)
    assert kept | aside == set(given.column("_row_id").to_pylist())
    assert not kept & aside
    facts = done.facts
    assert facts["rows_read"] == facts["rows_prepared"] + facts["rows_rejected"] == 800
    assert all(row["reasons"] for row in done.quarantine.values())


def test_rows_are_in_the_order_of_their_ids(kitchen: Any) -> None:
    ids = kitchen.prepare(TABLE, {"s": rows(300)}, threads=2).column("row_id")
    assert ids == sorted(ids)


def test_zones_are_closed_to_others(kitchen: Any) -> None:
    kitchen.prepare(TABLE, {"s": rows(10)})
    for zone in ("raw", "quarantine"):
        assert stat.S_IMODE(kitchen.workspace.zone(zone).stat().st_mode) == 0o700


def test_nothing_personal_leaves_and_the_control_is_found(kitchen: Any) -> None:
    given = rows(400)
    done = kitchen.prepare(TABLE, {"s": given})
    clean = b"".join(p.read_bytes() for p in kitchen.workspace.zone("clean").rglob("*") if p.is_file())
    decoded = str(done.rows) + done.page("fr") + done.page("en") + str(done.report)
    for secret in ("a.b@example.org", "06 12 34 56 78", *(f"u{i}@example.org" for i in range(20))):
        assert secret not in decoded
        assert secret.encode() not in clean
    assert "example.org" in str(done.quarantine)  # the control: raw rows do hold them
    mails = dict(zip(given.column("_row_id").to_pylist(), given.column("M").to_pylist(), strict=True))
    signs = {row["row_id"]: row["mail"] for row in done.rows}
    assert len({(mails[i], s) for i, s in signs.items()}) == len(set(signs.values())) > 1
    assert done.facts["values_masked"] == sum(str(r["text"]).count("[") for r in done.rows) > 0
