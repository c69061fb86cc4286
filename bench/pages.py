"""Pages of the application: how long the server takes for each, and what 50 signed-in users at once wait.

    python bench/pages.py [--users 50] [--pause 1] [--seconds 20] [--times 20] [--template tutor] [--json FILE]

Makes a solution from a template, runs its chain, creates one account for each user, starts ``compagnon serve`` on
loopback as anybody would, and signs everybody in. First one user asks for every page ``--times`` times, one after
another: the time from the request to the last byte. Then all users read at once, each a page after the other with a
pause of ``--pause`` seconds on average between two (0: none). Prints, for each page and for all, the median and the
95th centile in milliseconds, and how many answers were not the page asked for.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

PASSWORD = "cheval agrafe pile correct"
GOALS = {"one": 60.0, "all": 300.0}
"""Milliseconds for the 95th centile: one user, all users."""


def prepare(root: Path, template: str, users: int) -> list[str]:
    """A solution that was run, with accounts; returns the addresses of its pages."""
    command = [sys.executable, "-m", "compagnon"]
    subprocess.run([*command, "new", str(root), "--from", template], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([*command, "-C", str(root), "run"], check=True, stdout=subprocess.DEVNULL)
    from compagnon import Solution
    from compagnon.access.account import create_account
    from compagnon.access.password import hash_password
    from compagnon.web.site import site_map

    solution, kept = Solution(root), hash_password(PASSWORD)
    now = solution.clock.now()
    for number in range(users):
        name, role = f"user-{number:02}", "admin" if number == 0 else "teacher"
        create_account(solution.engine, name, name, role, password_hash=kept, actor=None, now=now)
    for number in range(30):
        solution.note(f"Note {number}: we keep the threshold.", by="bench")
    pages = [address for _title, links in site_map(solution.spec) for address, _words in links]
    guides = [page for page in pages if page.startswith("/help/")]
    runs = [f"/runs/{run.id}" for run in solution.ledger.runs(limit=3)]
    solution.close()
    return [page for page in pages if page not in guides[2:]] + runs + ["/account"]


@contextlib.contextmanager
def served(root: Path) -> Iterator[str]:
    """The address of ``compagnon serve`` on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "compagnon", "-C", str(root), "serve", "--port", str(port)]
    with tempfile.TemporaryFile() as log, subprocess.Popen(command, stdout=log, stderr=log) as server:
        address = f"http://127.0.0.1:{port}"
        try:
            for _try in range(600):
                with contextlib.suppress(httpx.HTTPError):
                    if httpx.get(f"{address}/health/ready").status_code == 200:
                        break
                time.sleep(0.1)
            yield address
        finally:
            server.terminate()


async def enter(address: str, number: int) -> httpx.AsyncClient:
    """A browser in which a user has signed in."""
    client = httpx.AsyncClient(base_url=address, timeout=60, headers={"Accept-Language": "fr"})
    page = await client.get("/sign-in")
    found = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert found, "the page to sign in has no form"
    form = {"csrf": found[1], "name": f"user-{number:02}", "password": PASSWORD}
    answer = await client.post("/sign-in", data=form)
    assert answer.status_code == 303, f"user {number} cannot sign in: {answer.status_code}"
    return client


async def ask(client: httpx.AsyncClient, page: str) -> tuple[float, str]:
    """Milliseconds for one page, and what came instead of it, empty if it came."""
    start = time.perf_counter()
    try:
        answer = await client.get(page)
    except httpx.HTTPError as error:
        return (time.perf_counter() - start) * 1000, type(error).__name__
    said = "" if answer.status_code == 200 else str(answer.status_code)
    return (time.perf_counter() - start) * 1000, said


async def one_user(client: httpx.AsyncClient, pages: list[str], times: int) -> dict[str, list[float]]:
    """Times of each page, one after the other."""
    found: dict[str, list[float]] = {}
    for page in pages:
        await ask(client, page)  # the first asking fills caches, as on any day but the first
        took = [await ask(client, page) for _time in range(times)]
        assert not any(said for _ms, said in took), f"{page} does not come"
        found[page] = [ms for ms, _said in took]
    return found


async def all_users(
    clients: list[httpx.AsyncClient], pages: list[str], seconds: float, pause: float
) -> tuple[list[float], Counter[str]]:
    """Times of all answers while everybody reads, and what came instead of pages."""
    took: list[float] = []
    errors: Counter[str] = Counter()
    end = time.monotonic() + seconds

    async def read(number: int, client: httpx.AsyncClient) -> None:
        choose = random.Random(number)
        await asyncio.sleep(choose.uniform(0, pause))
        while time.monotonic() < end:
            page = choose.choice(pages)
            ms, said = await ask(client, page)
            took.append(ms)
            if said:
                errors[f"{page}: {said}"] += 1
            await asyncio.sleep(choose.uniform(0, 2 * pause))

    await asyncio.gather(*(read(number, client) for number, client in enumerate(clients)))
    return took, errors


def centile(values: list[float], share: float) -> float:
    """The value that ``share`` of the values do not exceed."""
    return sorted(values)[min(len(values) - 1, round(share * (len(values) - 1)))]


async def measure(address: str, pages: list[str], options: argparse.Namespace) -> dict[str, Any]:
    clients = [await enter(address, number) for number in range(options.users)]
    try:
        single = await one_user(clients[0], pages, options.times)
        print(f"{'page':44} {'median':>8} {'p95':>8}   one user, ms")
        for page, took in sorted(single.items(), key=lambda item: -centile(item[1], 0.95)):
            print(f"{page[:44]:44} {centile(took, 0.5):8.1f} {centile(took, 0.95):8.1f}")
        every = [ms for took in single.values() for ms in took]
        print(f"{'all pages':44} {centile(every, 0.5):8.1f} {centile(every, 0.95):8.1f}   goal {GOALS['one']:.0f}")
        took, errors = await all_users(clients, pages, options.seconds, options.pause)
    finally:
        for client in clients:
            await client.aclose()
    said = f"{options.users} users, {options.pause:g} s between pages, {len(took) / options.seconds:.0f} pages/s"
    print(f"{said:44} {centile(took, 0.5):8.1f} {centile(took, 0.95):8.1f}   goal {GOALS['all']:.0f}")
    print(f"{errors.total()} errors of {len(took)}")
    for what, count in errors.most_common(10):
        print(f"  {count} x {what}")
    return {
        "pages": {page: {"p50": centile(t, 0.5), "p95": centile(t, 0.95)} for page, t in single.items()},
        "one": {"p50": centile(every, 0.5), "p95": centile(every, 0.95)},
        "all": {"p50": centile(took, 0.5), "p95": centile(took, 0.95), "errors": dict(errors), "answers": len(took)},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--pause", type=float, default=1.0)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--template", default="tutor")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "solution"
        pages = prepare(root, options.template, options.users)
        with served(root) as address:
            result = asyncio.run(measure(address, pages, options))
    if options.json:
        options.json.write_text(json.dumps(result, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
