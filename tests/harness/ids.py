"""The ids that the contract derives from a platform's own strings."""

from __future__ import annotations

import uuid
from urllib.parse import quote

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:novafeed")


def derived(kind: str, text: str) -> str:
    return str(uuid.uuid5(NAMESPACE, f"{kind}:{text}"))


def user_id(text: str) -> str:
    return derived("user", text)


def post_id(text: str) -> str:
    return derived("post", text)


def comment_id(text: str) -> str:
    return derived("comment", text)


def event_id(text: str) -> str:
    return derived("event", text)


def ext(text: str) -> str:
    """The string as an id in a path."""
    return "ext:" + quote(text, safe="")
