"""The application: model API and pages on one port."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Collection
from functools import partial
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.types import ASGIApp

from compagnon.access import upkeep as access
from compagnon.errors import UserError
from compagnon.i18n import _, use
from compagnon.operate.usage import upkeep as usage
from compagnon.services.model_api.problem import MEDIA_TYPE, ProblemDocument, Refused, fault, title_of
from compagnon.services.model_api.routes import make_router
from compagnon.services.model_api.service import ModelService, make_service
from compagnon.services.tutor.completions import make_completions
from compagnon.services.tutor.conversations.store import kept_for
from compagnon.services.tutor.conversations.store import purge as purge_conversations
from compagnon.services.tutor.handover import desk
from compagnon.web import home
from compagnon.web.access_pages import add_access
from compagnon.web.api_docs import make_api_docs
from compagnon.web.door import Door
from compagnon.web.forms import with_form
from compagnon.web.guard import Guard
from compagnon.web.live import Live
from compagnon.web.logbook import Logbook
from compagnon.web.pages import add_pages, script
from compagnon.web.quality import make_quality
from compagnon.web.sign_in import SignIn
from compagnon.web.site import Site
from compagnon.web.try_it import TryIt
from compagnon.web.tutor_pages import add_tutor
from compagnon.web.view import STATIC, View

if TYPE_CHECKING:
    from compagnon.solution import Solution

YEAR = 31_536_000
_log = logging.getLogger(__name__)
_MACHINES = ("/api/", "/v1/", "/health/", "/metrics")


def create_app(
    solution: Solution, *, pages: bool = True, service: ModelService | None = None, names: Collection[str] = ()
) -> ASGIApp:
    """The ASGI application of a solution; ``pages=False`` leaves the model API alone.

    ``names`` are those that pages are asked for by, besides this machine's own and addresses.

    Starting it loads packages and begins to record; stopping it writes what was answered.
    """
    app, models = _assemble(solution, pages, service, names)
    return Guard(app, models.metrics)


def routes_of(solution: Solution) -> list[APIRoute]:
    """Every route there is, each by its name in ``web.rights``."""
    app, models = _assemble(solution, True, None)
    return [
        route
        for route in (*make_router(models).routes, *make_completions(models).routes, *app.routes)
        if isinstance(route, APIRoute)
    ]


def _assemble(
    solution: Solution, pages: bool, service: ModelService | None, names: Collection[str] = ()
) -> tuple[FastAPI, ModelService]:
    models = service or make_service(solution)
    view, live = View(solution), Live(solution)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await asyncio.to_thread(models.start)
        upkeep = asyncio.create_task(_upkeep(solution))
        try:
            yield
        finally:
            upkeep.cancel()
            await live.close()
            await asyncio.to_thread(models.close)

    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, lifespan=lifespan, redirect_slashes=False)
    app.include_router(make_router(models))
    app.include_router(make_completions(models))
    _add_static(app)
    if pages:
        _add_pages(app, view, models, live, frozenset(name.lower() for name in names))

    def answer(request: Request, problem: ProblemDocument) -> Response:
        path = request.url.path
        for_people = (pages and not path.startswith(_MACHINES)) or path == "/api/docs"
        if not for_people:
            body = problem.body(request.state.request_id)
            return Response(body, problem.status, media_type=MEDIA_TYPE, headers=problem.all_headers())
        # The door may have found the language of an account.
        with use(request.state.language):
            values = {"problem": problem, "title": title_of(problem.status)}
            if hasattr(request.state, "visitor") and problem.status < 500:
                page = view.page(request, "error.html", {**values, "frame": "base.html"}, status=problem.status)
            else:
                page = view.bare("error.html", {**values, "frame": "bare.html"}, status=problem.status)
        page.headers.update(problem.headers)
        return page

    _add_failures(app, answer)
    return app, models


async def _upkeep(solution: Solution) -> None:
    """Delete what has come to its end (traces, sessions, answers, conversations): at the start, then every hour."""
    while True:
        try:
            own = (
                partial(purge_conversations, keep=kept_for(solution.spec)),
                partial(desk.purge, keep=desk.kept_for(solution.spec)),
            )
            for purge in (access.purge, usage.purge, *own):
                await asyncio.to_thread(purge, solution.engine, solution.clock.now())
        except UserError as error:
            _log.warning("upkeep has to wait: %s", error.code)
        await asyncio.sleep(3600)


def _add_failures(app: FastAPI, answer: Callable[[Request, ProblemDocument], Response]) -> None:
    async def refused(request: Request, error: Any) -> Response:
        return answer(request, error.problem)

    async def http(request: Request, error: Any) -> Response:
        if error.status_code == 405:
            allowed = (error.headers or {}).get("Allow", "")
            what = _("This address does not take {method}.").format(method=request.method[:20])
            problem = ProblemDocument(405, "request.method", what, headers={"allow": allowed})
        elif error.status_code == 404:
            problem = ProblemDocument(404, "request.no-such-address", _("There is nothing at this address."))
        else:
            problem = ProblemDocument(error.status_code, "request.refused", title_of(error.status_code))
        return answer(request, problem)

    async def user_error(request: Request, error: Any) -> Response:
        # Circumstances such as a full disk or a busy database: its words hold no data of a client.
        problem = ProblemDocument(503, error.code, error.problems[0].what, headers={"retry-after": "5"})
        return answer(request, problem)

    async def bug(request: Request, error: Exception) -> Response:
        return answer(request, fault().problem)

    app.add_exception_handler(Exception, bug)
    app.add_exception_handler(Refused, refused)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(UserError, user_error)


def _add_static(app: FastAPI) -> None:
    async def style(request: Request) -> Response:
        headers = {"cache-control": f"public, max-age={YEAR}, immutable"}
        return FileResponse(STATIC / "app.css", media_type="text/css; charset=utf-8", headers=headers)

    app.add_api_route("/static/app.css", style, methods=["GET"], include_in_schema=False, name="style")
    for file, name in (("job.js", "script"), ("chat.js", "chat-script"), ("talk.js", "talk-script")):
        app.add_api_route(f"/static/{file}", script(file), methods=["GET"], include_in_schema=False, name=name)


def _add_pages(app: FastAPI, view: View, service: ModelService, live: Live, names: frozenset[str]) -> None:
    logbook, try_it = Logbook(view), TryIt(view, service)
    sign_in = SignIn(view)
    door = Door(view.solution, sign_in.ask, names)
    sign_in.drafts = door.drafts

    # The name finds the line of the route in web.rights.
    def get(path: str, handler: Callable[[Request], Any], name: str) -> None:
        app.add_api_route(path, door.page(handler, name), methods=["GET"], include_in_schema=False, name=name)

    def post(path: str, handler: Callable[[Request], Any], name: str) -> None:
        app.add_api_route(path, door.page(handler, name), methods=["POST"], include_in_schema=False, name=name)

    add_access(get, post, view, sign_in)
    get("/", home.make(view, service.shelf), "home")
    get("/logbook", logbook.show, "logbook")
    post("/logbook", with_form(logbook.add), "logbook.add")
    get("/runs/{id}", logbook.run, "run")
    get("/tables/{name}/quality", make_quality(view), "quality")
    get("/models/{name}/try", try_it.show, "try")
    post("/models/{name}/try", try_it.ask, "try.ask")
    post("/models/{name}/feedback", try_it.feedback, "try.feedback")
    get("/help", Site(view).help, "help")
    get("/api/docs", make_api_docs(view, service.shelf), "api-docs")
    add_pages(view, get, post)
    add_tutor(view, live, get, post)
