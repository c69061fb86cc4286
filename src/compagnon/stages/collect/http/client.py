"""A client for one source: credentials to its own host only, bounded answers, patience within limits.

Imported late: it brings httpx.
"""

from __future__ import annotations

import email.utils
import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC
from importlib import metadata
from typing import Protocol
from urllib.parse import urlsplit

import httpcore
import httpx

from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.privacy.patterns import mask_text
from compagnon.stages.collect.http.options import HttpOptions
from compagnon.stages.collect.http.pace import Pace
from compagnon.stages.collect.http.transport import AddressRefused, Backend, Deadline, Transport
from compagnon.stages.collect.port import SourceDown

AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers that a later request may better."""
REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PART = 1 << 16


class Credentials(Protocol):
    """What proves who asks."""

    secrets: tuple[str, ...]
    """Values that no message may hold."""

    @property
    def param(self) -> str | None:
        """Parameter of the address that holds them, if any."""

    def sign(self, request: httpx.Request) -> None:
        """Add what the source's own host asks for."""

    def prepare(self, client: Client) -> None:
        """Called before each request: the moment to get or renew a token."""

    def refused(self) -> bool:
        """Called when the server says 401; True if asking again may help."""


@dataclass(frozen=True)
class Answer:
    """An answer within the bounds. ``url`` is where it came from, without credentials; header names in lower case."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


class _Again(Exception):
    """This try failed, and another may not. ``wait``: seconds that the server asks for."""

    def __init__(self, why: str, wait: float | None = None) -> None:
        super().__init__(why)
        self.why, self.wait = why, wait


class Client:
    """Asks for pages. ``home`` is the address that the source declares; its host alone gets the credentials."""

    def __init__(
        self,
        name: str,
        home: str,
        options: HttpOptions,
        credentials: Credentials | None,
        pace: Pace,
        look: Callable[[], None] = lambda: None,
        also: tuple[str, ...] = (),
    ) -> None:
        self._name, self._options, self._credentials, self._pace, self._look = name, options, credentials, pace, look
        self._home = _origin(home)
        self._hosts = {self._home, *map(_origin, also)}
        self._named = frozenset(host.lower() for host in options.hosts)
        self._deadline = Deadline()
        self._begun = pace.now()
        self.may: Callable[[str], bool] = lambda url: True
        """Whether a redirect may be followed, besides its host: what robots.txt says."""
        self._free_at = 0.0
        transport = Transport(Backend(options.private, self._deadline), self._sign if credentials else None)
        agent = f"Compagnon/{metadata.version('compagnon')}"
        if options.contact:
            agent += f" (+{options.contact})"
        self._http = httpx.Client(
            transport=transport,
            trust_env=False,
            timeout=options.bounds.request.total_seconds(),
            headers={"User-Agent": agent.encode("ascii", "replace").decode(), "Accept-Encoding": "gzip, deflate"},
        )

    def close(self) -> None:
        self._http.close()

    def allowed(self, url: str) -> bool:
        """Whether ``url`` is on the source's own host or on one that it names."""
        try:
            parts = urlsplit(url)
        except ValueError:
            return False
        if parts.scheme not in ("http", "https") or not parts.hostname:
            return False
        # A connection that was protected never goes on unprotected.
        if parts.scheme == "http" and self._home[0] == "https":
            return False
        host = parts.hostname.lower()
        if _origin(url)[2] < 0:
            return False
        return _origin(url) in self._hosts or host in self._named or f"{host}:{_origin(url)[2]}" in self._named

    def plain(self, url: str) -> str:
        """``url`` without the parameter that holds the credentials, which servers repeat in the links they give."""
        name = self._credentials.param if self._credentials else None
        return str(httpx.URL(url).copy_remove_param(name)) if name and name in httpx.URL(url).params else url

    def joined(self, url: str, link: str) -> str:
        """The address that ``link``, as the server gave it, means from ``url``; raises UserError."""
        try:
            return self.plain(str(httpx.URL(url).join(link)))
        except (httpx.InvalidURL, ValueError) as error:
            raise UserError(
                "collect.request-refused",
                _("{url} is not an address that can be asked: {why}").format(
                    url=self.clean(link), why=self.clean(str(error))
                ),
                next=_("Tell who runs the source, which gives that address."),
                path=f"sources.{self._name}",
            ) from None

    def pause(self, seconds: float) -> None:
        """Ask for nothing during that time."""
        self._free_at = max(self._free_at, self._pace.now() + seconds)

    def get(self, url: str, headers: Mapping[str, str] | None = None, accept: tuple[int, ...] = ()) -> Answer:
        """The answer to GET ``url``, asked again where that may help.

        ``accept``: statuses besides 2xx that are answers too (304, 404). Raises SourceDown ``collect.source-down``
        (also where the access is refused), UserError ``collect.request-refused``, ``collect.address-refused``,
        ``collect.body-too-large``, ``collect.redirect-refused``, ``collect.redirect-loop``, ``collect.too-long``.
        """
        return self._patiently("GET", url, headers or {}, None, accept)

    def post(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        """The answer to a form sent to ``url``; the same errors as ``get``."""
        return self._patiently("POST", url, headers, form, ())

    def _patiently(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        form: Mapping[str, str] | None,
        accept: tuple[int, ...],
    ) -> Answer:
        retry = self._options.retry
        tried = renewed = 0
        while True:
            self._turn()
            if self._credentials and form is None:
                self._credentials.prepare(self)
            try:
                answer = self._follow(method, url, headers, form)
                if answer.status in accept or 200 <= answer.status < 300:
                    return answer
                if answer.status == 401 and form is None and not renewed and self._credentials:
                    renewed += 1
                    if self._credentials.refused():
                        continue
                self._judge(answer)
            except _Again as again:
                wait = self._wait(again, tried)
                if tried >= retry.times or wait is None:
                    raise self._down(url, again, tried + 1) from None
                tried += 1
                self.pause(wait)

    def _turn(self) -> None:
        """Wait for one's turn: what the solution, the server or a failure asks for."""
        now = self._pace.now()
        if self._free_at > now:
            self._pace.wait(self._free_at - now, self._look)
        self._look()
        limit = self._options.bounds.time
        if self._pace.now() - self._begun > limit.total_seconds():
            raise UserError(
                "collect.too-long",
                _("Collecting {name} takes longer than {limit} s.").format(
                    name=self._name, limit=int(limit.total_seconds())
                ),
                next=_("Run again: what arrived is kept. Or allow more: bounds: {time: 6 h}"),
                path=f"sources.{self._name}.bounds",
            )
        if self._options.per_minute:
            self.pause(60 / self._options.per_minute)

    def _wait(self, again: _Again, tried: int) -> float | None:
        """Seconds before the next try: as the server asks, else doubled each time; None if that is too long."""
        longest = self._options.retry.longest.total_seconds()
        if again.wait is not None:
            return again.wait if again.wait <= longest else None
        step = min(self._options.retry.first.total_seconds() * float(2**tried), longest)
        return step * (0.5 + self._pace.chance() / 2)

    def _follow(self, method: str, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None) -> Answer:
        """One try, with its redirects."""
        seen: list[str] = []
        while True:
            if not self.allowed(url):
                raise UserError(
                    "collect.redirect-refused",
                    _("{name} leads to another host: {url}").format(name=self._name, url=self.shown(url)),
                    next=_("If that host is to be trusted, name it: hosts: [{host}]").format(
                        host=urlsplit(url).netloc.rpartition("@")[2]
                    ),
                    path=f"sources.{self._name}.hosts",
                )
            answer = self._once(method, url, headers, form)
            if answer.status not in REDIRECTS or "location" not in answer.headers:
                return answer
            if method == "POST":
                return answer
            seen.append(url)
            url = self.joined(url, answer.headers["location"])
            if self.allowed(url) and not self.may(url):
                raise UserError(
                    "collect.robots-refused",
                    _("The site does not allow {url} to be read by programs (robots.txt).").format(url=self.shown(url)),
                    next=_("Ask the owner for an export or an access; Compagnon does not read it otherwise."),
                    path=f"sources.{self._name}",
                )
            if url in seen or len(seen) > self._options.bounds.redirects:
                raise UserError(
                    "collect.redirect-loop",
                    _("{url} redirects in circles, or more than {count} times.").format(
                        url=self.shown(seen[0]), count=self._options.bounds.redirects
                    ),
                    next=_("Open the address in a browser, and put the one where it ends in solution.yaml."),
                    path=f"sources.{self._name}",
                )

    def _once(self, method: str, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None) -> Answer:
        self._deadline.set(self._options.bounds.request.total_seconds())
        try:
            request = self._http.build_request(method, url, headers=dict(headers), data=dict(form) if form else None)
            response = self._http.send(request, stream=True)
            try:
                body = self._read(response, url)
            finally:
                response.close()
        except AddressRefused as error:
            raise self._refused(error) from None
        except (httpcore.TimeoutException, httpx.TimeoutException):
            limit = self._options.bounds.request.total_seconds()
            raise _Again(_("no complete answer within {limit} s").format(limit=f"{limit:g}")) from None
        except (httpcore.NetworkError, httpcore.ProtocolError, httpx.TransportError, OSError) as error:
            raise _Again(self.clean(str(error)) or type(error).__name__) from None
        except (httpx.InvalidURL, UnicodeError, httpcore.UnsupportedProtocol) as error:
            raise UserError(
                "collect.request-refused",
                _("{url} is not an address that can be asked: {why}").format(
                    url=self.shown(url), why=self.clean(str(error))
                ),
                path=f"sources.{self._name}",
            ) from None
        self._heed(response.headers)
        return Answer(url, response.status_code, response.headers, body)

    def _read(self, response: httpx.Response, url: str) -> bytes:
        """The body, decompressed step by step so that neither side of it goes beyond the bound."""
        limit = self._options.bounds.body
        coding = response.headers.get("content-encoding", "identity").strip().lower()
        unpack = None
        if coding in ("gzip", "x-gzip", "deflate"):
            unpack = zlib.decompressobj(wbits=47 if coding != "deflate" else 15)
        elif coding not in ("", "identity"):
            raise UserError(
                "collect.request-refused",
                _("{url} is compressed in a way that was not asked for: {coding}").format(
                    url=self.shown(url), coding=coding[:40]
                ),
                next=_("Tell who runs the source: it ignores Accept-Encoding."),
            )
        found = bytearray()
        sent = 0
        for part in response.iter_raw():
            sent += len(part)
            if sent > limit:
                raise self._too_large(url)
            if unpack is None:
                found += part
                continue
            while part:
                try:
                    found += unpack.decompress(part, max(1, min(_PART * 16, limit + 1 - len(found))))
                except zlib.error as error:
                    raise _Again(_("the compression is broken: {why}").format(why=error)) from None
                if len(found) > limit:
                    raise self._too_large(url)
                part = unpack.unconsumed_tail
        if unpack is not None and sent and not unpack.eof:
            raise _Again(_("the compressed page is cut short"))
        return bytes(found)

    def _heed(self, headers: Mapping[str, str]) -> None:
        """Wait where the server says that nothing is left of the present window."""
        for prefix in ("ratelimit", "x-ratelimit"):
            if headers.get(f"{prefix}-remaining", "").strip() == "0":
                reset = headers.get(f"{prefix}-reset", "").strip()
                if reset.isdigit():
                    seconds = float(reset)
                    if seconds > 1_000_000_000:  # a moment, not a duration
                        seconds -= self._pace.utc().timestamp()
                    if 0 < seconds <= self._options.retry.longest.total_seconds():
                        self.pause(seconds)

    def _judge(self, answer: Answer) -> None:
        status, url = answer.status, self.shown(answer.url)
        if status in AGAIN:
            raise _Again(_("it answers {status}").format(status=status), self._asked(answer.headers))
        if status in (401, 403, 407):
            raise SourceDown(
                "collect.access-refused",
                _("{url} refuses the access ({status}).").format(url=url, status=status),
                next=_("Renew the token or the password in the environment, and check what the account may read."),
                path=f"sources.{self._name}.auth",
            )
        if status in (404, 410):
            raise SourceDown(
                "collect.source-down",
                _("{url} is not there ({status}).").format(url=url, status=status),
                next=_("Check the address, or say what to use instead (instead: last)."),
                path=f"sources.{self._name}.url",
            )
        raise UserError(
            "collect.request-refused",
            _("{url} refuses the request ({status}). {said}")
            .format(url=url, status=status, said=self._said(answer))
            .rstrip(),
            next=_("Compare url, params and pages with the documentation of the API."),
            path=f"sources.{self._name}",
        )

    def _said(self, answer: Answer) -> str:
        """What a problem document (RFC 9457) says, masked; nothing of other bodies, which may hold anything."""
        if "json" not in answer.headers.get("content-type", ""):
            return ""
        try:
            document = json.loads(answer.body[:_PART])
        except ValueError:
            return ""
        words = [document.get(key) for key in ("title", "detail", "message", "error")] if type(document) is dict else []
        return mask_text(self.clean(" ".join(word for word in words if isinstance(word, str))))[:200]

    def _asked(self, headers: Mapping[str, str]) -> float | None:
        """Seconds of ``Retry-After``, a number or a date (RFC 9110)."""
        text = headers.get("retry-after", "").strip()
        if text.isdigit():
            return float(text[:9])
        try:
            moment = email.utils.parsedate_to_datetime(text)
        except (ValueError, TypeError):
            return None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0.0, (moment - self._pace.utc()).total_seconds())

    def _sign(self, request: httpx.Request) -> None:
        if self._credentials and request.method == "GET" and _origin(str(request.url)) == self._home:
            self._credentials.sign(request)

    def clean(self, text: str) -> str:
        """``text`` without secrets, on one line."""
        for value in sorted(self._credentials.secrets if self._credentials else (), key=len, reverse=True):
            text = text.replace(value, "***") if value else text
        return " ".join(text.split())[:300]

    def shown(self, url: str) -> str:
        """``url`` as messages show it: no credentials, no secret, not endless."""
        parts = urlsplit(url)
        return self.clean(parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl())

    def _down(self, url: str, again: _Again, tries: int) -> SourceDown:
        what = _("{url} cannot be reached after {tries} tries: {why}").format(
            url=self.shown(url), tries=tries, why=again.why
        )
        if again.wait is not None and again.wait > self._options.retry.longest.total_seconds():
            what = _("{url} asks to wait {wait} s before the next request.").format(
                url=self.shown(url), wait=int(again.wait)
            )
        return SourceDown(
            "collect.source-down",
            what,
            next=_("Run again later: what arrived is kept. Or say what to use instead (instead: last)."),
            path=f"sources.{self._name}",
        )

    def _refused(self, error: AddressRefused) -> UserError:
        if error.never:
            advice = _("No solution may declare such an address: it is where machines answer with their own keys.")
        else:
            advice = _("If it is yours and meant to be read, say so: private: true")
        return UserError(
            "collect.address-refused",
            _("{host} is an address of this machine or of a private network.").format(host=error.host),
            next=advice,
            path=f"sources.{self._name}",
        )

    def _too_large(self, url: str) -> UserError:
        return UserError(
            "collect.body-too-large",
            _("{url} gives more than {limit} bytes in one page.").format(
                url=self.shown(url), limit=self._options.bounds.body
            ),
            next=_("Ask for smaller pages, or allow more if you trust the source: bounds: {body: 100 MB}"),
            path=f"sources.{self._name}.bounds",
        )


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = -1
    return parts.scheme, (parts.hostname or "").lower(), port or (443 if parts.scheme == "https" else 80)
