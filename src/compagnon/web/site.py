"""Pages about the site itself: map, contact, legal notice, accessibility, components, help."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from compagnon.i18n import _, current
from compagnon.services.model_api.problem import Refused
from compagnon.spec.model import Spec, text_of
from compagnon.web import conformity, guides
from compagnon.web.view import View
from compagnon.web.visitor import visitor_of

LONGEST_SEARCH = 100
OPEN = ("/help", "/contact", "/legal", "/accessibility", "/components")
"""Pages for everybody who reaches the server."""


@dataclass(frozen=True)
class Site:
    """Handlers of the pages that every site has."""

    view: View

    def map(self, request: Request) -> Response:
        groups = site_map(self.view.solution.spec, desk=self.view.hands_over, faq=self.view.grows_faq)
        if not visitor_of(request).may("solution.read"):
            # What everybody may see, and no name of a table or model.
            groups = [(title, [link for link in links if link[0].startswith(OPEN)]) for title, links in groups]
        groups = [(title, links) for title, links in groups if links]
        return self.view.page(request, "site_map.html", {"groups": groups})

    def contact(self, request: Request) -> Response:
        spec = self.view.solution.spec
        known = visitor_of(request).may("solution.read")
        sources = [(name, options.contact) for name, options in spec.sources.items() if options.contact and known]
        return self.view.page(request, "contact.html", {"privacy": spec.privacy, "sources": sources})

    def legal(self, request: Request) -> Response:
        spec = self.view.solution.spec
        known = visitor_of(request).may("solution.read")
        values = {
            "privacy": spec.privacy,
            "licences": [(name, options.licence) for name, options in spec.sources.items()] if known else [],
            "basis": basis_word(spec),
            "keeps": _keeps(spec) if known else [],
        }
        return self.view.page(request, "legal.html", values)

    def accessibility(self, request: Request) -> Response:
        criteria = conformity.read()
        untested: dict[str, list[str]] = {}
        for criterion in criteria:
            if criterion.status == "untested":
                untested.setdefault(criterion.theme, []).append(criterion.number)
        proven = [(status, [c for c in criteria if c.status == status]) for status in ("not", "conform", "na")]
        values = {
            "statement": conformity.state(criteria),
            "proven": [(conformity.group_title(status), group) for status, group in proven if group],
            "untested": untested,
            "proof_word": conformity.proof_word,
        }
        return self.view.page(request, "accessibility.html", values)

    def components(self, request: Request) -> Response:
        return self.view.page(request, "components.html", {})

    def help(self, request: Request) -> Response:
        words = request.query_params.get("q", "").strip()[:LONGEST_SEARCH]
        found = guides.search(words, current()) if words else [guides.Found(g) for g in guides.guides(current())]
        return self.view.page(request, "help.html", {"words_sought": words, "found": found})

    def guide(self, request: Request) -> Response:
        guide = guides.find(request.path_params["name"], current())
        if guide is None:
            raise Refused(404, "page.unknown-guide", _("There is no guide of that name."))
        return self.view.page(request, "guide.html", {"guide": guide})


def site_map(spec: Spec, *, desk: bool = False, faq: bool = False) -> list[tuple[str, list[tuple[str, str]]]]:
    """Every page that has an address of its own, in groups: (address, title)."""
    language = current()
    models = {name: text_of(model.title, language) or name for name, model in spec.models.items()}
    groups: list[tuple[str, list[tuple[str, str]]]] = [
        (
            _("Solution"),
            [("/", _("Home")), ("/runs", _("Runs")), ("/logbook", _("Logbook"))],
        ),
        (
            _("Tutor"),
            [
                ("/tutor", _("Ask the tutor")),
                ("/knowledge", _("Knowledge base")),
                ("/knowledge/glossary", _("Glossary")),
                *([("/tutor/handovers", _("To take over"))] if desk else []),
                *([("/tutor/faq", _("Living FAQ"))] if faq else []),
                ("/corrections", _("Corrections")),
                ("/asked", _("What is asked")),
                ("/prompts", _("Prompts")),
                ("/providers", _("Providers and costs")),
            ]
            if spec.tutor
            else [],
        ),
        (
            _("Data"),
            [
                ("/sources", _("Sources")),
                *((f"/sources/{name}", _("Source {name}").format(name=name)) for name in spec.sources),
                ("/queries", _("Queries")),
                ("/tables", _("Tables")),
                *(
                    line
                    for name in spec.tables
                    for line in (
                        (f"/tables/{name}", _("Table {name}").format(name=name)),
                        (f"/tables/{name}/quality", _("Quality of {name}").format(name=name)),
                        (f"/quarantine/{name}", _("Quarantine of {name}").format(name=name)),
                    )
                ),
            ],
        ),
        (
            _("Models"),
            [
                line
                for name, title in models.items()
                for line in (
                    (f"/models/{name}", _("Model {title}").format(title=title)),
                    (f"/models/{name}/card", _("Card of {title}").format(title=title)),
                    (f"/models/{name}/try", _("Try {title}").format(title=title)),
                )
            ],
        ),
        (
            _("Help and information"),
            [
                ("/help", _("Help")),
                *((f"/help/{guide.name}", guide.title_text) for guide in guides.guides(language)),
                ("/api/docs", _("Documentation of the API")),
                ("/contact", _("Contact")),
                ("/legal", _("Legal notice")),
                ("/accessibility", _("Accessibility")),
                ("/components", _("Components of the pages")),
            ],
        ),
    ]
    return [(title, links) for title, links in groups if links]


def basis_word(spec: Spec) -> str:
    """The legal basis in words."""
    basis = spec.privacy.basis if spec.privacy else None
    return {
        "consent": _("consent"),
        "contract": _("contract"),
        "legal_obligation": _("legal obligation"),
        "vital_interests": _("vital interests"),
        "public_interest": _("public interest"),
        "legitimate_interests": _("legitimate interests"),
    }.get(basis or "", "")


def _keeps(spec: Spec) -> list[tuple[str, Any]]:
    """How many days each zone or table is kept."""
    return [(name, span.days) for name, span in spec.privacy.keep.items()] if spec.privacy else []
