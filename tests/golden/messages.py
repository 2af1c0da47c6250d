"""The golden envelopes, cdc.txt: for each message a comment (its case), topic, key, value and an empty line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).with_name("cdc.txt")


class GoldenMessage(NamedTuple):
    """As it stood on its topic, to the byte."""

    case: str
    topic: str
    key: str
    value: str


def write_golden(messages: list[GoldenMessage]) -> None:
    FILE.write_text("".join(f"# {m.case}\n{m.topic}\n{m.key}\n{m.value}\n\n" for m in messages), encoding="utf-8")


def read_golden() -> list[GoldenMessage]:
    # Not splitlines: text may hold what Python takes for the end of a line.
    blocks = FILE.read_text(encoding="utf-8").removesuffix("\n\n").split("\n\n")
    return [GoldenMessage(case.removeprefix("# "), *rest) for case, *rest in (block.split("\n") for block in blocks)]


def normalised(message: GoldenMessage) -> GoldenMessage:
    """Without what another run has otherwise: places in the WAL, transactions, times of commit and of capture."""
    value = json.loads(message.value)
    source = value["source"]
    for part in (value, source):
        for name in ("ts_ms", "ts_us", "ts_ns"):
            part[name] = isinstance(part[name], int)
    source["lsn"], source["txId"] = isinstance(source["lsn"], int), isinstance(source["txId"], int)
    source["sequence"] = re.sub(r"\d+", "N", source["sequence"])
    if value["transaction"] is not None:
        value["transaction"]["id"] = re.sub(r"\d+", "N", value["transaction"]["id"])
    return message._replace(value=json.dumps(value, ensure_ascii=False))
