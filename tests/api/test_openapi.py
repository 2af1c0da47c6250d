"""The OpenAPI document: what it says is what there is, and the way it is served."""

import gzip
import json
import re
from http.client import HTTPMessage
from pathlib import Path

import pytest

from harness import DOCUMENT, Client, Document, Server, Undocumented, public_document
from harness.client import Response

ROOT = Path(__file__).resolve().parents[2]
METHODS = ("get", "put", "post", "patch", "delete")
ROUTE = re.compile(r'novafeed_http_requests_total\{listener="public",method="([A-Z]+)",route="([^"]+)"')


@pytest.fixture(name="content", scope="module")
def read_document():
    return json.loads(DOCUMENT.read_text(encoding="utf-8"))


def operations(content):
    """(method, path, path item, operation)"""
    for path, item in content["paths"].items():
        for method in METHODS:
            if method in item:
                yield method, path, item, item[method]


def nodes(value, path=()):
    """Every value below, with the names that lead to it."""
    yield path, value
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, child in children:
        yield from nodes(child, (*path, name))


def resolve(content, reference):
    found = content
    for name in reference.removeprefix("#/").split("/"):
        found = found[name.replace("~1", "/")]
    return found


# --- The document and the server ---


def test_every_route_is_in_the_document_and_the_reverse(content):
    with Server(flags=("--demo",)) as server, server.admin() as admin:
        routes = set(ROUTE.findall(admin.get("/metrics").text))
    documented = {(method.upper(), re.sub(r"\{\w+\}", "{}", path)) for method, path, *_ in operations(content)}
    assert documented == routes


def test_it_is_served_to_everybody_as_it_is_in_the_sources(server, content):
    answer = server.anonymous().get("/openapi.json").expect(200)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json() == content


def test_it_is_sent_packed_and_only_once(server, content):
    client = server.anonymous()

    def get(**headers):
        return client.request("GET", "/openapi.json", headers={k.replace("_", "-"): v for k, v in headers.items()})

    plain, packed = get(), get(Accept_Encoding="gzip")
    assert packed.headers["Content-Encoding"] == "gzip" and len(packed.body) * 5 < len(plain.body)
    assert json.loads(gzip.decompress(packed.body)) == content
    assert packed.headers["ETag"] != plain.headers["ETag"], "two forms under one strong ETag"
    for known in (plain.headers["ETag"], packed.headers["ETag"], f'"x", W/{plain.headers["ETag"]}', "*"):
        get(If_None_Match=known).expect(304)
    get(If_None_Match='"x"').expect(200)


def test_the_pages_files_are_sent_only_once(server):
    client = server.anonymous()
    for path in ("/", "/app.js", "/app.css", "/docs", "/docs.js", "/docs.css", "/favicon.svg"):
        etag = client.get(path).expect(200).headers["ETag"]
        assert client.request("GET", path, headers={"If-None-Match": etag}).expect(304).body == b""


# --- The document for itself ---


def test_every_reference_leads_somewhere_and_every_component_is_used(content):
    used = {node["$ref"] for _, node in nodes(content) if isinstance(node, dict) and "$ref" in node}
    for reference in used:
        resolve(content, reference)
    used |= {"#/components/responses/NoSuchRoute", "#/components/responses/NoSuchMethod"}  # of no path
    components = {
        f"#/components/{kind}/{name}"
        for kind, named in content["components"].items()
        if kind != "securitySchemes"
        for name in named
    }
    assert components == used


def test_operations_are_named_once_and_have_their_path_parameters(content):
    names = [operation["operationId"] for *_, operation in operations(content)]
    assert len(names) == len(set(names))
    tags = {tag["name"] for tag in content["tags"]}
    for method, path, item, operation in operations(content):
        declared = [resolve(content, p["$ref"]) if "$ref" in p else p for p in item.get("parameters", [])]
        in_path = {parameter["name"] for parameter in declared if parameter["in"] == "path"}
        assert in_path == set(re.findall(r"\{(\w+)\}", path)), (method, path)
        assert operation["summary"] and set(operation["tags"]) <= tags, (method, path)


def test_every_example_is_what_its_schema_says(content):
    seen = 0
    for path, node in nodes(content):
        if not isinstance(node, dict) or "schema" not in node:
            continue
        examples = [resolve(content, e["$ref"])["value"] for e in node.get("examples", {}).values()]
        examples += [node["example"]] if "example" in node else []
        for example in examples:
            assert public_document().errors_of(node["schema"], example) == [], path
            seen += 1
    assert seen > 20


def test_the_codes_are_those_of_the_manual(content):
    manual = (ROOT / "docs/api.md").read_text(encoding="utf-8").split("\n## Errors\n")[1].split("\n## ")[0]
    table, _, events = manual.partition("Single events")
    told = set(re.findall(r"`([a-z_]+)`", "\n".join(re.findall(r"^\| \d.*$", table, re.MULTILINE))))
    enums = [(path[:-2], node) for path, node in nodes(content) if path[-2:] == ("code", "enum")]
    of_events = {code for path, codes in enums if "EventResult" in path for code in codes}
    of_answers = {code for path, codes in enums if "EventResult" not in path for code in codes}
    assert of_answers == told
    assert of_events == set(re.findall(r"`([a-z_]+)`", events.partition(";")[0]))


# --- The judge ---


def answered(status=200, body=b"", **headers):
    """An answer as the server would give it to GET /healthz, where nothing else is said."""
    message = HTTPMessage()
    for name, value in {"X_Request_Id": "a", "Content_Type": "application/json", **headers}.items():
        if value is not None:
            message[name.replace("_", "-")] = value
    return Response(status, message, body if isinstance(body, bytes) else json.dumps(body).encode())


def problem(status, code, **changes):
    told = {"type": f"urn:novafeed:problem:{code}", "title": "T", "status": status, "detail": "D.", "code": code}
    return answered(status, {**told, "request_id": "a", **changes}, Content_Type="application/problem+json")


ALIVE = {"status": "alive"}


def test_what_is_documented_passes():
    judge = public_document()
    judge.check("GET", "/healthz", answered(body=ALIVE))
    judge.check("GET", "/healthz?x=1", answered(body=ALIVE, Server_Timing="total;dur=0.1"))
    judge.check("HEAD", "/healthz", answered())
    judge.check("GET", "/nothing", problem(404, "unknown_route"))
    judge.check("GET", "/api/v1/users/", problem(404, "unknown_route"))
    judge.check("POST", "/api/v1/posts", problem(413, "body_too_large"))


@pytest.mark.parametrize(
    ("method", "path", "answer", "why"),
    [
        ("GET", "/healthz", answered(201, ALIVE), "no such status"),
        ("GET", "/healthz", answered(body={"status": "dead"}), "alive"),
        ("GET", "/healthz", answered(body={**ALIVE, "more": 1}), "more"),
        ("GET", "/healthz", answered(body={}), "required"),
        ("GET", "/healthz", answered(body=ALIVE, Content_Type="text/plain"), "text/plain"),
        ("GET", "/healthz", answered(body=ALIVE, X_Request_Id=None), "X-Request-Id is missing"),
        ("GET", "/healthz", answered(body=ALIVE, Server_Timing="soon"), "header Server-Timing"),
        ("GET", "/healthz", answered(body=ALIVE, X_Powered_By="us"), "undocumented headers: x-powered-by"),
        ("GET", "/healthz", problem(404, "unknown_route"), "unknown_route"),
        ("GET", "/nothing", answered(body=ALIVE), "no such status"),
        ("GET", "/nothing", problem(404, "unknown_user"), "unknown_user"),
        ("GET", "/api/v1/posts/x", problem(404, "unknown_user"), "unknown_user"),
        ("GET", "/api/v1/posts/x", problem(400, "bad_id", extra=1), "extra"),
        ("PUT", "/api/v1/posts/x/like", answered(204, ALIVE), "Novafeed-Position is missing"),
    ],
)
def test_what_is_not_documented_does_not_pass(method, path, answer, why):
    with pytest.raises(Undocumented, match=re.escape(why)):
        public_document().check(method, path, answer)


def test_a_client_of_the_server_holds_every_answer_to_the_document(server, content):
    other = json.loads(json.dumps(content))
    del other["paths"]["/healthz"]["get"]["responses"]["200"]
    with Client(server.url, document=Document(other)) as client, pytest.raises(Undocumented, match="no such status"):
        client.get("/healthz")
