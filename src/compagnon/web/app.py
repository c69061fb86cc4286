"""The application: model API and pages on one port."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.types import ASGIApp

from compagnon.errors import UserError
from compagnon.i18n import LANGUAGES, _
from compagnon.services.model_api.problem import MEDIA_TYPE, ProblemDocument, Refused, fault, title_of
from compagnon.services.model_api.routes import make_router
from compagnon.services.model_api.service import ModelService, make_service
from compagnon.web import home
from compagnon.web.api_docs import make_api_docs
from compagnon.web.forms import read_form
from compagnon.web.guard import Guard
from compagnon.web.language import COOKIE
from compagnon.web.local import require_local
from compagnon.web.logbook import Logbook
from compagnon.web.quality import make_quality
from compagnon.web.try_it import TryIt
from compagnon.web.view import STATIC, View

if TYPE_CHECKING:
    from compagnon.solution import Solution

YEAR = 31_536_000
_MACHINES = ("/api/", "/health/", "/metrics")


def create_app(solution: Solution, *, pages: bool = True, service: ModelService | None = None) -> ASGIApp:
    """The ASGI application of a solution; ``pages=False`` leaves the model API alone.

    Starting it loads packages and begins to record; stopping it writes what was answered.
    """
    app, models = _assemble(solution, pages, service)
    return Guard(app, models.metrics)


def routes_of(solution: Solution) -> list[APIRoute]:
    """Every route there is, each by its name in ``web.rights``."""
    app, models = _assemble(solution, True, None)
    return [route for route in (*make_router(models).routes, *app.routes) if isinstance(route, APIRoute)]


def _assemble(solution: Solution, pages: bool, service: ModelService | None) -> tuple[FastAPI, ModelService]:
    models = service or make_service(solution)
    view = View(solution)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await asyncio.to_thread(models.start)
        try:
            yield
        finally:
            await asyncio.to_thread(models.close)

    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, lifespan=lifespan, redirect_slashes=False)
    app.include_router(make_router(models))
    _add_static(app)
    if pages:
        _add_pages(app, view, models)

    def answer(request: Request, problem: ProblemDocument) -> Response:
        path = request.url.path
        for_people = (pages and not path.startswith(_MACHINES)) or path == "/api/docs"
        if not for_people:
            body = problem.body(request.state.request_id)
            return Response(body, problem.status, media_type=MEDIA_TYPE, headers=problem.all_headers())
        values = {"problem": problem, "title": title_of(problem.status)}
        page = view.bare("error.html", values, status=problem.status)
        page.headers.update(problem.headers)
        return page

    _add_failures(app, answer)
    return app, models


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


def _add_pages(app: FastAPI, view: View, service: ModelService) -> None:
    logbook, try_it = Logbook(view), TryIt(view, service)

    # The name finds the line of the route in web.rights.
    def get(path: str, handler: Callable[[Request], Any], name: str) -> None:
        app.add_api_route(path, _page(handler), methods=["GET"], include_in_schema=False, name=name)

    def post(path: str, handler: Callable[[Request], Any], name: str) -> None:
        app.add_api_route(path, _page(handler), methods=["POST"], include_in_schema=False, name=name)

    async def add_note(request: Request) -> Response:
        form = await read_form(request)
        return await asyncio.to_thread(logbook.add, request, form)

    get("/", home.make(view, service.shelf), "home")
    get("/logbook", logbook.show, "logbook")
    post("/logbook", add_note, "logbook.add")
    get("/runs/{id}", logbook.run, "run")
    get("/tables/{name}/quality", make_quality(view), "quality")
    get("/models/{name}/try", try_it.show, "try")
    post("/models/{name}/try", try_it.ask, "try.ask")
    post("/models/{name}/feedback", try_it.feedback, "try.feedback")
    get("/help", lambda request: view.page(request, "help.html", {}), "help")
    get("/api/docs", make_api_docs(view, service.shelf), "api-docs")


def _page(handler: Callable[[Request], Any]) -> Callable[[Request], Any]:
    """``handler`` for requests of this machine only, off the event loop; ``?lang=`` switches the language."""

    async def page(request: Request) -> Response:
        require_local(request)
        wanted = request.query_params.get("lang")
        if request.method == "GET" and wanted in LANGUAGES:
            switched = RedirectResponse(request.url.path, 303)
            switched.set_cookie(COOKIE, wanted, max_age=YEAR, httponly=True, samesite="lax")
            return switched
        if asyncio.iscoroutinefunction(handler):
            response: Response = await handler(request)
        else:
            response = await asyncio.to_thread(handler, request)
        return response

    return page
