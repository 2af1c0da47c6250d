"""What the files of a data directory hold of somebody."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Person:
    """Everything by which a user can be found: the id in each form, and strings that nobody else has."""

    id: str
    strings: list[str] = field(default_factory=list)

    def bytes_of_the_id(self) -> dict[str, bytes]:
        """As SQLite's tables and the snapshot have them, and as the analytical engine does: each half reversed."""
        value = uuid.UUID(self.id).bytes
        return {"the bytes of the id": value, "the engine's bytes of the id": value[7::-1] + value[:7:-1]}

    def needles(self) -> dict[str, bytes]:
        """Lower case: files are searched in lower case as well."""
        value = uuid.UUID(self.id)
        found = {"id as text": str(value).encode(), "id as hex": value.hex.encode()}
        return found | {string: string.encode("utf-8").lower() for string in self.strings}


def traces(data: Path, person: Person) -> list[str]:
    """Each file, by its path under the directory, and what of the person it holds, for a reader."""
    found = []
    for path in sorted(data.rglob("*")):
        if not path.is_file():
            continue
        try:
            content = path.read_bytes()
        except FileNotFoundError:  # a running engine removes files
            continue
        name = path.relative_to(data)
        raw = person.bytes_of_the_id()
        found += [f"{name}: {content.count(value)} times {what}" for what, value in raw.items() if value in content]
        lower = content.lower()
        found += [f"{name}: {what}" for what, needle in person.needles().items() if needle in lower]
    return found
