"""The source ``rest`` against a real server: rows, types, pages that change, tokens, restarts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from answering import Time, frozen, paged, serving  # noqa: F401
from pydantic import ValidationError

from collecting import Collecting
from compagnon.chain import plugins
from compagnon.chain.stage import Cancelled
from compagnon.errors import UserError
from compagnon.sandbox.exchange import Reply, Request, as_json
from compagnon.stages.collect.rest.source import RestOptions

PAGE = {"kind": "page"}


def run(collecting: Collecting, address: str, **options: Any) -> list[tuple[Any, ...]]:
    collecting.run(**{"kind": "rest", "url": f"{address}/rows", "private": True, "pages": PAGE, **options})
    return collecting.cells()


def refused(collecting: Collecting, answer: Any, **options: Any) -> UserError:
    with serving(answer) as script, pytest.raises(UserError) as caught:
        run(collecting, script.address, **options)
    assert caught.value.problems[0].next
    return caught.value


def test_types_are_those_of_all_pages(collecting: Collecting) -> None:
    pages = [
        [{"a": 1, "b": None, "c": True, "d": 1, "e": {"x": [1, "é"]}, "f": 1 << 70, "g": "t"}],
        [{"a": 2, "b": "late", "c": None, "d": 2.5, "e": [], "f": 1, "g": None}],
    ]
    with serving(paged(pages)) as script:
        assert run(collecting, script.address) == [
            (1, None, True, 1.0, '{"x":[1,"é"]}', str(1 << 70), "t"),
            (2, "late", None, 2.5, "[]", "1", None),
        ]


def test_nested_records_are_flattened_as_declared(collecting: Collecting) -> None:
    record = {"id": 1, "author": {"email": "a@b", "tags": ["x", "y"]}, "a.b": "dots"}
    fields = {"id": "id", "email": "author.email", "tag": "author.tags.1", "dots": "a.b", "all": "author.tags"}
    with serving(paged([[record]])) as script:
        assert run(collecting, script.address, fields=fields) == [(1, "a@b", "y", "dots", '["x","y"]')]


def test_a_list_within_a_record_gives_a_row_for_each_element(collecting: Collecting) -> None:
    records = [
        {"id": 1, "answers": [{"id": "a", "u": {"n": "x"}}, {"id": "b", "u": {"n": "y"}}]},
        {"id": 2, "answers": []},
    ]
    fields = {"question": "id", "answer": "answers.id", "who": "answers.u.n"}
    with serving(paged([records])) as script:
        assert run(collecting, script.address, fields=fields, each="answers") == [(1, "a", "x"), (1, "b", "y")]
        collecting.previous = None
        assert run(collecting, script.address, each="answers")[0] == (1, "a", '{"n":"x"}')


def test_what_is_not_an_object_goes_to_quarantine(collecting: Collecting) -> None:
    with serving(paged([[{"a": 1}, 7, {"a": 2}], ["x", {"a": 3}]])) as script:
        assert run(collecting, script.address) == [(1,), (2,), (3,)]
    assert [row["text"] for row in collecting.unreadable()] == ["7", '"x"']
    assert collecting.ids() == ["s:0:0", "s:0:2", "s:0:4"]


@pytest.mark.parametrize(
    ("pages", "words"),
    [
        ([[{"a": 1, "b": 1}], [{"a": 2}]], "b is not there any more"),
        ([[{"a": 1}], [{"a": 2, "b": 1}]], "b is new"),
        ([[{"a": 1}], [{"a": "n° 2"}]], "a was number and is text"),
        ([[{"a": "x"}], [{"a": {"b": 1}}]], "a was text and is nested"),
        ([[{"a": True}], [{"a": 1}]], "a was boolean and is number"),
    ],
)
def test_a_page_with_other_columns_is_named(collecting: Collecting, pages: list[Any], words: str) -> None:
    error = refused(collecting, paged(pages))
    assert error.code == "collect.schema-changed"
    assert "page 2" in str(error)
    assert words in str(error)


def test_what_was_optional_from_the_start_may_stay_away(collecting: Collecting) -> None:
    pages = [[{"a": 1, "b": 1}, {"a": 2}], [{"a": 3}], [{"a": 4, "b": 2}]]
    with serving(paged(pages)) as script:
        assert run(collecting, script.address) == [(1, 1), (2, None), (3, None), (4, 2)]


def test_what_the_solution_says_is_optional(collecting: Collecting) -> None:
    pages = [[{"a": 1}], [{"a": 2, "b": 1}], [{"a": 3}]]
    with serving(paged(pages)) as script:
        assert run(collecting, script.address, optional=["b"]) == [(1, None), (2, 1), (3, None)]


def test_a_field_that_no_record_has(collecting: Collecting) -> None:
    error = refused(collecting, paged([[{"a": 1}]]), fields={"x": "b.c"})
    assert error.code == "collect.schema-changed"
    assert "b.c" in str(error)


def test_records_are_looked_for_where_they_stand(collecting: Collecting) -> None:
    error = refused(collecting, paged([{"items": [{"a": 1}]}]))
    assert error.code == "collect.records-missing"
    assert "records: items" in str(error)


def test_an_empty_list_with_declared_fields_has_its_columns(collecting: Collecting) -> None:
    with serving(paged([])) as script:
        assert run(collecting, script.address, fields={"a": "a"}) == []
    assert collecting.table().column_names == ["_row_id", "_source", "a"]


def test_encodings(collecting: Collecting) -> None:
    body = '[{"a": "été"}]'

    def answer(encoding: str, kind: str = "application/json") -> Any:
        return lambda request: Reply(body=body.encode(encoding), kind=kind)

    for encoding, kind in (
        ("utf-8", "application/json; charset=latin-1"),
        ("utf-8-sig", "application/json"),
        ("utf-16", "application/json"),
        ("cp1252", "application/json; charset=windows-1252"),
    ):
        with serving(answer(encoding, kind)) as script:
            assert run(collecting, script.address, pages={"kind": "none"}) == [("été",)]
    with serving(answer("cp1252")) as script:
        assert run(collecting, script.address, pages={"kind": "none"}, encoding="cp1252") == [("été",)]
    error = refused(collecting, answer("cp1252"))
    assert error.code == "collect.page-encoding"
    assert "encoding: cp1252" in str(error)


def test_rows_that_move_to_the_next_page_meanwhile_are_not_doubled(collecting: Collecting) -> None:
    """A new row at the top pushes the last one of page 1 to page 2 while it is read."""
    pages = [[{"id": 3}, {"id": 2}], [{"id": 2}, {"id": 1}]]
    with serving(paged(pages)) as script:
        assert run(collecting, script.address, key="id") == [(3,), (2,), (1,)]


def test_a_key_repeated_with_another_content_is_kept(collecting: Collecting) -> None:
    pages = [[{"id": 1, "v": "a"}], [{"id": 1, "v": "b"}]]
    with serving(paged(pages)) as script:
        assert run(collecting, script.address, key="id") == [(1, "a"), (1, "b")]
    assert "repeats the key" in collecting.warnings


def test_fewer_rows_than_announced(collecting: Collecting) -> None:
    def answer(request: Request) -> Reply:
        return as_json({"total": 5, "items": [{"a": 1}] if request.query["page"] == "1" else []})

    error = refused(collecting, answer, pages={"kind": "page", "total": "total"}, records="items")
    assert error.code == "collect.rows-lacking"


def test_pages_without_end(collecting: Collecting) -> None:
    error = refused(collecting, lambda request: as_json([{"a": 1}]), bounds={"pages": 3})
    assert error.code == "collect.too-many-pages"
    circle = refused(
        collecting,
        lambda request: as_json({"items": [{"a": 1}], "next": "same"}),
        pages={"kind": "cursor", "next": "next"},
        records="items",
    )
    assert circle.code == "collect.pages-loop"


@pytest.mark.parametrize("link", ["http://[", "http://a:port/", "\x01://", "//"])
def test_a_link_that_is_no_address(collecting: Collecting, link: str) -> None:
    error = refused(
        collecting,
        lambda request: as_json({"items": [{"a": 1}], "next": link}),
        pages={"kind": "link", "next": "next"},
        records="items",
        retry={"times": 0},
    )
    assert error.code in ("collect.request-refused", "collect.redirect-refused", "collect.pages-loop")
    wrong = Reply(302, headers={"Location": link.replace("\x01", "x")})
    redirect = refused(collecting, lambda request: wrong, retry={"times": 0})
    assert redirect.code.startswith("collect.")


def test_the_next_page_is_meant_from_the_page_that_names_it(collecting: Collecting) -> None:
    def answer(request: Request) -> Reply:
        more = {"next": "?p=2"} if not request.query else {}
        return as_json({"items": [{"a": request.path}], **more})

    with serving(answer) as script:
        assert len(run(collecting, script.address, pages={"kind": "link", "next": "next"}, records="items")) == 2
    assert [(request.path, dict(request.query)) for request in script.requests] == [
        ("/rows", {}),
        ("/rows", {"p": "2"}),
    ]


def since(rows: list[dict[str, Any]]) -> Any:
    def answer(request: Request) -> Reply:
        return as_json([row for row in rows if row["n"] >= int(request.query.get("since", "0"))])

    return answer


def test_only_what_is_new_is_asked_for(collecting: Collecting) -> None:
    rows = [{"id": "a", "n": 1}, {"id": "b", "n": 2}]
    options = {"key": "id", "cursor": "n", "cursor_param": "since", "pages": {"kind": "none"}}
    with serving(since(rows)) as script:
        run(collecting, script.address, **options)
        rows += [{"id": "c", "n": 2}, {"id": "d", "n": 3}]
        assert run(collecting, script.address, **options) == [("a", 1), ("b", 2), ("c", 2), ("d", 3)]
        assert script.requests[-1].query == {"since": "2"}
        before = collecting.previous.outputs  # type: ignore[union-attr]
        run(collecting, script.address, **options)
        assert collecting.previous.outputs == before  # type: ignore[union-attr]
        assert script.requests[-1].query == {"since": "3"}
        with pytest.raises(UserError) as caught:
            run(collecting, script.address, **{**options, "key": ()})
    assert caught.value.code == "collect.cursor-needs-key"


def test_a_cursor_whose_column_changes_between_collections(collecting: Collecting) -> None:
    rows: list[dict[str, Any]] = [{"id": "a", "n": 1}]
    options = {"key": "id", "cursor": "n", "cursor_param": "since", "pages": {"kind": "none"}}
    with serving(lambda request: as_json(rows)) as script:
        run(collecting, script.address, **options)
        rows[:] = [{"id": "b", "n": "two"}]
        with pytest.raises(UserError) as caught:
            run(collecting, script.address, **options)
    assert caught.value.code == "collect.schema-changed"


def test_a_stopped_collection_goes_on_at_its_page(collecting: Collecting) -> None:
    pages = [[{"id": i * 2}, {"id": i * 2 + 1}] for i in range(5)]
    with serving(paged(pages)) as script:
        with pytest.raises(Cancelled):
            collecting.run(
                kind="rest", url=f"{script.address}/rows", private=True, pages=PAGE, key="id",
                stop=lambda: len(script.requests) > 2,
            )  # fmt: skip
        assert len(script.requests) == 3
        assert run(collecting, script.address, key="id") == [(i,) for i in range(10)]
    assert [request.query["page"] for request in script.requests] == ["1", "2", "3", "4", "5", "6"]
    assert list(collecting.workspace.journal.iterdir()) == []


# --- credentials


def token_server(issued: list[str], life: int = 60) -> Any:
    """Gives tokens t1, t2...; only the last one is good."""

    def answer(request: Request) -> Reply:
        if request.path == "/token":
            issued.append(f"t{len(issued) + 1}")
            return as_json({"access_token": issued[-1], "expires_in": life})
        if request.headers.get("authorization") != f"Bearer {issued[-1]}":
            return Reply(401)
        number = int(request.query["page"])
        return as_json([{"a": number}] if number < 5 else [])

    return answer


OAUTH = {"kind": "oauth2", "client": "me", "secret": "${secret:S}"}


def oauth(address: str, **more: Any) -> dict[str, Any]:
    return {**OAUTH, "token_url": f"{address}/token", **more}


def test_a_token_is_asked_for_once_and_renewed_before_its_end(frozen: Time, tmp_path: Any) -> None:  # noqa: F811
    collecting, issued = Collecting(tmp_path, {"S": "hidden"}), list[str]()
    with serving(token_server(issued)) as script:
        assert run(collecting, script.address, auth=oauth(script.address)) == [(1,), (2,), (3,), (4,)]
        assert issued == ["t1"]
        collecting.previous = None
        run(collecting, script.address, auth=oauth(script.address), per_minute=2)
    assert len(issued) > 2
    token = next(request for request in script.requests if request.path == "/token")
    assert token.method == "POST"
    assert token.headers["authorization"].startswith("Basic ")
    assert token.body == b"grant_type=client_credentials"


def test_a_token_that_the_server_forgets_is_renewed_once(tmp_path: Any) -> None:
    collecting, issued = Collecting(tmp_path, {"S": "hidden"}), list[str]()
    inner = token_server(issued)

    def answer(request: Request) -> Reply:
        if request.query.get("page") == "3" and len(issued) == 1:
            return Reply(401)
        return inner(request)  # type: ignore[no-any-return]

    with serving(answer) as script:
        auth = oauth(script.address, send="body", scope="read")
        assert len(run(collecting, script.address, auth=auth)) == 4
        assert issued == ["t1", "t2"]
        assert b"client_secret=hidden" in script.requests[0].body
    never = serving(lambda r: as_json({"access_token": "t"}) if r.path == "/token" else Reply(401))
    with never as script, pytest.raises(UserError) as caught:
        run(collecting, script.address, auth=oauth(script.address))
    assert caught.value.code == "collect.access-refused"
    assert len(script.requests) == 4
    assert "hidden" not in str(caught.value)


def test_an_address_that_gives_no_token(tmp_path: Any) -> None:
    with serving(lambda request: as_json({"token": "x"})) as script, pytest.raises(UserError) as caught:
        run(Collecting(tmp_path, {"S": "hidden"}), script.address, auth=oauth(script.address))
    assert caught.value.code == "collect.token-missing"


@pytest.mark.parametrize(
    ("auth", "seen"),
    [
        ({"kind": "bearer", "token": "${secret:S}"}, ("authorization", "Bearer hidden")),
        ({"kind": "basic", "user": "é", "password": "${secret:S}"}, ("authorization", "Basic w6k6aGlkZGVu")),
        ({"kind": "key", "header": "X-Key", "value": "${secret:S}"}, ("x-key", "hidden")),
    ],
)
def test_ways_to_prove_who_asks(tmp_path: Any, auth: dict[str, str], seen: tuple[str, str]) -> None:
    collecting = Collecting(tmp_path, {"S": "hidden"})
    with serving(paged([[{"a": 1}]])) as script:
        run(collecting, script.address, auth=auth)
    assert script.requests[0].headers[seen[0]] == seen[1]
    settings = collecting.instance(collecting.spec(kind="rest", url="http://a.example.org", auth=auth)).settings
    assert "hidden" not in json.dumps(settings)


def test_a_secret_that_is_not_set(collecting: Collecting) -> None:
    with pytest.raises(UserError) as caught:
        run(collecting, "http://127.0.0.1:1", auth={"kind": "bearer", "token": "${secret:NONE}"})
    assert caught.value.code == "spec.secret-missing"


def test_a_key_in_the_address_is_kept_nowhere(tmp_path: Any) -> None:
    collecting = Collecting(tmp_path, {"S": "hidden"})

    def answer(request: Request) -> Reply:
        number = int(request.query.get("page", "1"))
        target = f"/rows?page={number + 1}&api_key={request.query['api_key']}"
        reply = as_json([{"a": number}])
        return Reply(200, reply.body, headers={"Link": f'<{target}>; rel="next"'}) if number < 3 else Reply(500)

    auth = {"kind": "key", "query": "api_key", "value": "${secret:S}"}
    with serving(answer) as script, pytest.raises(UserError) as caught:
        run(collecting, script.address, auth=auth, pages={"kind": "link"}, retry={"times": 0})
    assert [request.query["api_key"] for request in script.requests] == ["hidden"] * 3
    assert "hidden" not in str(caught.value)
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"page=2" in kept
    assert b"hidden" not in kept


# --- options


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "ftp://example.org"},
        {"url": "https://me:word@example.org"},
        {"url": "https://example.org/?key=${secret:S}"},
        {"url": "https://example.org:port/"},
        {"params": {"key": "${secret:S}"}},
        {"headers": {"X": "a\nb"}},
        {"auth": {"kind": "bearer", "token": "in-clear"}},
        {"auth": {"kind": "key", "value": "${secret:S}"}},
        {"cursor": "a"},
        {"cursor": "a", "cursor_param": "since", "fields": {"b": "b"}},
        {"encoding": "klingon"},
        {"pages": {"kind": "cursor"}},
    ],
)
def test_options_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RestOptions.model_validate({"kind": "rest", "url": "https://example.org", **wrong})


def test_the_adapter_is_found_by_its_name() -> None:
    assert plugins.load("sources")["rest"].Options is RestOptions
