"""Each sentence before it is sent: is it allowed, and does a passage that may be cited support it?"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from compagnon.services.tutor.answer.choose import Choice, harmless
from compagnon.services.tutor.answer.clean import carries, is_order, leaks, suspect, visible
from compagnon.services.tutor.answer.events import Citation, Cited, Line
from compagnon.services.tutor.answer.sentences import Draft, sentences
from compagnon.services.tutor.answer.support import altered, claims, support
from compagnon.services.tutor.knowledge.model import Language
from compagnon.services.tutor.passages import Passage
from compagnon.services.tutor.search.language import language_of

MOST_LINES = 60
"""Lines of one answer."""


@dataclass
class Checker:
    """The lines of one answer that may be shown, and the citations that they rest on."""

    choice: Choice
    prompt: str = ""
    language: Language = "fr"
    citations: list[Citation] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    dropped: int = 0
    _heading: Line | None = None

    def take(self, draft: Draft, *, verbatim: bool = False) -> list[Cited | Line]:
        """What of ``draft`` is shown: nothing where it fails. ``verbatim``: it is a passage as it stands."""
        if len(self.lines) >= MOST_LINES:
            self.dropped += 1
            return []
        draft = Draft(draft.kind, visible(draft.text), draft.cited)
        if draft.kind == "heading":
            self._heading = self._title(draft)
            return []
        if draft.kind == "code":
            return self._code(draft)
        found = self._passage_of(draft, verbatim)
        if found is None:
            # A question to the learner claims nothing.
            self.dropped += not draft.text.rstrip(" »").endswith("?")
            return []
        passage, start, end = found
        return self._say(Line(draft.kind, draft.text), passage, start, end)

    def say(self, line: Line) -> list[Cited | Line]:
        """A line of our own."""
        self.lines.append(line)
        return [line]

    def _title(self, draft: Draft) -> Line | None:
        """Headings are short words of a closed form; what else stands in one is left out."""
        text = draft.text.strip().rstrip(":").rstrip()
        titles = (self.choice.title(passage) for passage in self.choice.passages)
        words = _WORD.findall(text.casefold())
        known = _WORD.findall(" ".join([*titles, _HEADING_WORDS]).casefold())
        if not words or len(words) > 8 or carries(text, "") or not set(words) <= set(known):
            return None
        return Line("heading", text)

    def _code(self, draft: Draft) -> list[Cited | Line]:
        """Code is shown where it stands in the base."""
        wanted = _bare(draft.text)
        for passage in self.choice.passages:
            code = self.choice.codes.get(passage.id, "")
            if wanted and wanted in _bare(code):
                return self._say(Line("code", draft.text), passage, 0, len(passage.text))
        self.dropped += 1
        return []

    def _passage_of(self, draft: Draft, verbatim: bool) -> tuple[Passage, int, int] | None:
        cited = [self.choice.passages[n - 1] for n in draft.cited if 0 < n <= len(self.choice.passages)]
        if verbatim:
            return _verbatim(draft.text, cited)
        unread = self.choice.unread
        known = " ".join(harmless(passage, unread) for passage in self.choice.passages)
        if carries(draft.text, known) or leaks(draft.text, self.prompt, known):
            return None
        if is_order(draft.text) and draft.text not in known:
            return None
        if language_of(draft.text, self.language) != self.language:  # it cannot be compared with the passages
            return None
        beliefs = [passage.heading for passage in self.choice.passages if passage.part == "misconception"]
        if any(claims(draft.text, belief) for belief in beliefs):
            return None
        if altered(draft.text, [passage.text for passage in self.choice.passages]):
            return None
        others = [passage for passage in self.choice.passages if passage not in cited]
        for candidates in (cited, others):
            verdicts = [(support(draft.text, passage.text), passage) for passage in candidates]
            good = [(verdict, passage) for verdict, passage in verdicts if verdict.supported]
            if good:
                verdict, passage = max(good, key=lambda each: each[0].score)
                if passage.subtopic in self.choice.unread and self._suspect(passage.text[verdict.start : verdict.end]):
                    return None
                return passage, verdict.start, verdict.end
        return None

    def _suspect(self, text: str) -> bool:
        return any(suspect(text[start:end]) for start, end in sentences(text))

    def _say(self, line: Line, passage: Passage, start: int, end: int) -> list[Cited | Line]:
        found: list[Cited | Line] = []
        if self._heading is not None:
            self.lines.append(self._heading)
            found.append(self._heading)
            self._heading = None
        begin, stop = passage.start + start, passage.start + end
        citation = next((c for c in self.citations if (c.id, c.start, c.end) == (passage.id, begin, stop)), None)
        if citation is None:
            quote = passage.text[start:end]
            citation = Citation(len(self.citations) + 1, passage.id, self.choice.title(passage), quote, begin, stop)
            self.citations.append(citation)
            found.append(Cited(citation))
        line = Line(line.kind, line.text, (citation.number,))
        self.lines.append(line)
        return [*found, line]


_QUOTES = re.compile(r"[«»“”\s]")
_WORD = re.compile(r"\w+")
_HEADING_WORDS = """
définition points point clé clés exemple exemples concret code solution démarche étapes étape indices indice résumé en
bref pour aller plus loin à retenir erreur fréquente erreurs fréquentes attention idée principe intuition calcul
application limites avantages inconvénients comparaison réponse et le la les de des du un une l'essentiel definition
example hints common mistake to go further key
"""


def _verbatim(text: str, cited: list[Passage]) -> tuple[Passage, int, int] | None:
    """Where a passage as it stands says ``text``, blanks aside; its title and heading count as the whole of it."""
    for passage in cited:
        place = passage.text.find(text)
        if place >= 0:
            return passage, place, place + len(text)
        bare = "".join(text.split())
        if bare in "".join(passage.text.split()) or unquoted(text) in map(unquoted, (passage.title, passage.heading)):
            return passage, 0, len(passage.text)
    return None


def unquoted(text: str) -> str:
    """``text`` without quotation marks and blanks: a title in quotes may hold quotes itself."""
    return _QUOTES.sub("", text)


def _bare(code: str) -> str:
    return "\n".join(line.strip() for line in code.splitlines() if line.strip())
