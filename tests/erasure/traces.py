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

    def needles(self) -> dict[str, bytes]:
        """Lower case: files are searched in lower case as well."""
        value = uuid.UUID(self.id)
        found = {"id as text": str(value).encode(), "id as hex": value.hex.encode()}
        return found | {string: string.encode("utf-8").lower() for string in self.strings}


def traces(data: Path, person: Person) -> list[str]:
    """Each file and what of the person it holds, for a reader."""
    raw = uuid.UUID(person.id).bytes
    found = []
    for path in sorted(data.rglob("*")):
        if not path.is_file():
            continue
        content = path.read_bytes()
        if raw in content:
            found.append(f"{path.name}: {content.count(raw)} times the bytes of the id")
        lower = content.lower()
        found += [f"{path.name}: {name}" for name, needle in person.needles().items() if needle in lower]
    return found
