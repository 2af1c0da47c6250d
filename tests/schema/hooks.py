"""Loaded by schemathesis: puts what exists in the place of most of what it has made up, so that routes get to work.

NOVAFEED_KNOWN is a JSON file: values for each name of a parameter, header or field; where a name has none, it is left
away instead.
"""

import json
import os
import pathlib
import zlib

import schemathesis

KNOWN = json.loads(pathlib.Path(os.environ["NOVAFEED_KNOWN"]).read_text(encoding="utf-8"))
OF_TEN = 7  # so many values in ten are known ones


def settle(values: object) -> object:
    """The same for the same input, so that a failure can be run again and made smaller."""
    if not hasattr(values, "items"):
        return values
    for name, made_up in list(values.items()):
        number = zlib.crc32(repr(made_up).encode("utf-8", "surrogatepass"))
        if name not in KNOWN or number % 10 >= OF_TEN:
            continue
        if KNOWN[name]:
            values[name] = KNOWN[name][number // 10 % len(KNOWN[name])]
        else:
            del values[name]
    return values


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    return settle(path_parameters)


@schemathesis.hook
def map_query(context, query):
    return settle(query)


@schemathesis.hook
def map_headers(context, headers):
    return settle(headers)


@schemathesis.hook
def map_body(context, body):
    events = body.get("events") if isinstance(body, dict) else None
    for event in events if isinstance(events, list) else []:
        settle(event)
    return body
