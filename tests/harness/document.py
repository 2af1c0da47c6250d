"""The OpenAPI document as a judge: says of an answer whether the document has it."""

from __future__ import annotations

import copy
import functools
import importlib
import json
import sys
from urllib.parse import unquote

from harness.cli import CHECKOUT

DOCUMENT = CHECKOUT / "src" / "api" / "openapi.json"
PACKAGES = CHECKOUT / "build" / "python"

# What every HTTP answer may carry.
ALWAYS = {"connection", "content-length", "content-type", "x-content-type-options"}
# What is said of a path or a method that the document does not have.
UNROUTED = {"404": "NoSuchRoute", "405": "NoSuchMethod", "4XX": "Refused", "500": "Failed", "503": "Unavailable"}


class Undocumented(AssertionError):
    """The server gave an answer that the document does not have."""


def _schema_library():
    """jsonschema_rs: far faster than what Debian has, and every answer is judged."""
    site = next(PACKAGES.glob("lib/python3*/site-packages"), None)
    if site is None:
        raise FileNotFoundError("The tests' Python packages are missing: run tools/python/install.sh once.")
    if str(site) not in sys.path:
        sys.path.append(str(site))  # last: what Debian has comes first
    return importlib.import_module("jsonschema_rs")


def _close_objects(schema: object) -> None:
    """Clients must bear fields that are new to them; a field that we answer and do not document is a mistake of ours."""
    if isinstance(schema, dict):
        if schema.get("type") == "object" and "properties" in schema:
            schema.setdefault("additionalProperties", False)
        for part in schema.values():
            _close_objects(part)
    elif isinstance(schema, list):
        for part in schema:
            _close_objects(part)


class Document:
    def __init__(self, content: dict) -> None:
        self.content = content
        self._strict = copy.deepcopy(content)
        _close_objects(self._strict)
        self._make_validator = _schema_library().Draft202012Validator
        self._validators: dict[int, object] = {}
        self._templates = [(template.split("/"), item) for template, item in self._strict["paths"].items()]
        self._unrouted = {status: {"$ref": f"#/components/responses/{name}"} for status, name in UNROUTED.items()}

    def check(self, method: str, target: str, response) -> None:
        """`response` is an answer (harness.client.Response) to this request; Undocumented where the document has none such."""
        responses = self._responses_to("GET" if method == "HEAD" else method, target.partition("?")[0])
        status = str(response.status)
        documented = responses.get(status) or responses.get(f"{status[0]}XX")
        try:
            if documented is None:
                raise Undocumented(f"no such status; documented: {', '.join(responses)}")
            documented = self._resolve(documented)
            self._check_headers(documented.get("headers", {}), response.headers)
            self._check_body(documented.get("content"), response, has_body=method != "HEAD")
        except Undocumented as wrong:
            shown = response.body[:1000]
            raise Undocumented(f"{method} {target} -> {status} {shown!r}\nis not as src/api/openapi.json says: {wrong}") from None

    def errors_of(self, schema: dict, value: object) -> list[str]:
        """What the schema (of this document) has against a value."""
        validator = self._make_validator({**schema, "components": self._strict["components"]})
        return [str(error) for error in validator.iter_errors(value)]

    def _responses_to(self, method: str, path: str) -> dict:
        item = self._item_of(path)
        operation = None if item is None else item.get(method.lower())
        return self._unrouted if operation is None else operation["responses"]

    def _item_of(self, path: str) -> dict | None:
        segments = [segment if "%" not in segment else unquote(segment) for segment in path.split("/")]
        for template, item in self._templates:
            if len(template) == len(segments) and all(map(_fits, template, segments)):
                return item
        return None

    def _resolve(self, node: dict) -> dict:
        while "$ref" in node:
            _, *names = node["$ref"].split("/")
            node = functools.reduce(dict.__getitem__, names, self._strict)
        return node

    def _judge(self, schema: dict, value: object, what: str) -> None:
        validator = self._validators.get(id(schema))
        if validator is None:
            validator = self._make_validator({**schema, "components": self._strict["components"]})
            self._validators[id(schema)] = validator
        if not validator.is_valid(value):
            first = next(iter(validator.iter_errors(value)))
            raise Undocumented(f"{what}: {first}")

    def _check_headers(self, documented: dict, given) -> None:
        names = {name.lower() for name in given}
        for name, header in documented.items():
            header = self._resolve(header)
            if name.lower() in names:
                text = given[name]
                number = header["schema"].get("type") == "integer" and text.isdecimal()
                self._judge(header["schema"], int(text) if number else text, f"header {name}")
                names.discard(name.lower())
            elif header.get("required"):
                raise Undocumented(f"the header {name} is missing")
        if strange := names - ALWAYS:
            raise Undocumented(f"undocumented headers: {', '.join(sorted(strange))}")

    def _check_body(self, content: dict | None, response, *, has_body: bool) -> None:
        if content is None:
            if response.body or "Content-Type" in response.headers:
                raise Undocumented("a body where none is documented")
            return
        kind = response.headers.get_content_type()
        if kind not in content:
            raise Undocumented(f"{kind}; documented: {', '.join(content)}")
        if has_body and kind.endswith("json") and "Content-Encoding" not in response.headers:
            self._judge(content[kind]["schema"], response.json(), "body")


def _fits(template: str, segment: str) -> bool:
    return segment != "" if template.startswith("{") else segment == template


@functools.cache
def public_document() -> Document:
    """Of the public listener, from this checkout's sources."""
    return Document(json.loads(DOCUMENT.read_text(encoding="utf-8")))
