"""The sandbox: practice sources that run, what each one is, and the lines of solution.yaml that read it."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from compagnon.sandbox import postgresql, spoil, stores
from compagnon.sandbox.api import CLIENT, Api
from compagnon.sandbox.catalog import Entry, entries
from compagnon.sandbox.exchange import Reply, Request, problem
from compagnon.sandbox.faults import FAULTS
from compagnon.sandbox.page import index
from compagnon.sandbox.rows import KINDS, Row, questions, share
from compagnon.sandbox.server import Server
from compagnon.sandbox.site import Site

SECRET, DATABASE_SECRET = "SANDBOX_TOKEN", "SANDBOX_DATABASE"


class Sandbox:
    """Practice sources in ``folder`` and on ``port`` of loopback, from entering the context to leaving it.

    ``rows``: the questions of the template by default. ``split``: each kind of source holds its share of them, and all
    kinds together hold each row once. ``database``: a PostgreSQL too, where its programs are installed.
    Raises UserError ``sandbox.port-busy``.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int = 0,
        rows: Sequence[Row] | None = None,
        split: bool = False,
        database: bool = True,
    ) -> None:
        self.folder, self._port, self._database = folder.absolute(), port, database
        self.rows = list(questions() if rows is None else rows)
        self._split = split
        self.token = secrets.token_urlsafe(24)
        self.datasets: dict[str, list[Row]] = {}
        """What the API and the site serve; a test may change it."""
        self.api = Api(self.datasets, self.token)
        self._site_datasets: dict[str, list[Row]] = {}
        self._site = Site(self._site_datasets)
        self._stack = contextlib.ExitStack()
        self.address = ""
        self.database_url: str | None = None

    def __enter__(self) -> Sandbox:
        with contextlib.ExitStack() as stack:
            self._write()
            server = Server(self.answer, self._port)
            stack.callback(server.stop)
            self.address = server.address
            if self._database and postgresql.binaries() is not None and _has_driver():
                self.database_url = stack.enter_context(postgresql.server())
                stores.fill_postgresql(self.database_url, self._part("sql"))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def serve(self, name: str, rows: list[Any], site: list[Row] | None = None) -> None:
        """Have the API and the site hold a list of that name; ``site``: what the site holds, if not the same."""
        self.datasets[name] = rows
        self._site_datasets[name] = rows if site is None else site

    @property
    def environ(self) -> dict[str, str]:
        """The secrets that the lines of solution.yaml name."""
        found = {SECRET: self.token}
        if self.database_url:
            found[DATABASE_SECRET] = self.database_url
        return found

    def entries(self) -> list[Entry]:
        """What there is to practice on, in the order to take it."""
        return entries(self.address, self.folder, self.database_url is not None)

    def as_dict(self) -> dict[str, Any]:
        """Addresses, for programs; the secrets are in it, since they open nothing but this sandbox."""
        return {
            "address": self.address,
            "folder": str(self.folder),
            "environ": self.environ,
            "client": CLIENT,
            "rows": {kind: len(self._part(kind)) for kind in KINDS},
            "sources": {entry.name: entry.as_dict() for entry in self.entries()},
            "faults": {name: f"{self.address}/faults/{name}" for name in FAULTS},
        }

    def answer(self, request: Request) -> Reply:
        """The reply to any request: the page that lists what is there, the API, the site, with or without a fault."""
        path, fault = request.path, None
        if path.startswith("/faults/"):
            _empty, _faults, fault, *rest = path.split("/")
            if fault not in FAULTS:
                return problem(404, "No such fault")
            request = Request(request.method, "/" + "/".join(rest), request.query, request.headers, request.body)
        if fault and (spoiled := spoil.before(fault, request, self.api)):
            return spoiled
        reply = self._true(request, f"/faults/{fault}" if fault else "")
        return spoil.squeeze(spoil.after(fault, request, reply) if fault else reply, request)

    def _true(self, request: Request, prefix: str) -> Reply:
        if request.path == "/" and not prefix:
            return index(self.entries(), self.environ, request)
        reply = self.api.answer(request) or self._site.answer(request, prefix)
        return reply or problem(404, "Not found")

    def _write(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        stores.write_files(self.folder / "files", self._part("file"))
        stores.write_sqlite(self.folder / "questions.sqlite", self._part("sql"))
        stores.write_lake(self.folder / "lake", self._part("bigdata"))
        self.datasets["questions"] = self._part("rest")
        self._site_datasets["questions"] = self._part("web")

    def _part(self, kind: str) -> list[Row]:
        return share(self.rows, kind) if self._split else self.rows


def _has_driver() -> bool:
    import importlib.util

    return importlib.util.find_spec("psycopg") is not None
