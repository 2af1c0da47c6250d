"""Bearer tokens made by hand (HS256), from the keys of a data directory."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from pathlib import Path


def to_base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass(frozen=True)
class Keys:
    """The key that signs, as keys.json names it."""

    kid: str
    secret: bytes

    @staticmethod
    def read(data_directory: str | Path) -> Keys:
        key = json.loads(Path(data_directory, "keys.json").read_text(encoding="utf-8"))["token_keys"][0]
        return Keys(key["kid"], from_base64url(key["secret"]))


def sign(secret: bytes, header: dict, claims: dict) -> str:
    """A JWT with exactly this header and these claims: also a wrong one."""
    parts = (to_base64url(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
    signed = ".".join(parts)
    return f"{signed}.{to_base64url(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"


def sign_token(keys: Keys, user: str, scope: str, now_ms: int, seconds: int = 3600, **claims: object) -> str:
    """A token as `novafeed token` makes it; `claims` replace or (None) remove some."""
    issued = now_ms // 1000
    given = {"sub": user, "scope": scope, "iat": issued, "exp": issued + seconds, **claims}
    kept = {name: value for name, value in given.items() if value is not None}
    return sign(keys.secret, {"alg": "HS256", "typ": "JWT", "kid": keys.kid}, kept)
