"""Whoever reads how a token is used is told where it comes from."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MANUALS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "sdk").glob("*/README.md"))]
BLOCK = re.compile(r"^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
USES = re.compile(r"--token TOKEN|--url http|Authorization: Bearer")
MAKES = re.compile(r"novafeed token ")


@pytest.mark.parametrize("manual", MANUALS, ids=lambda path: str(path.relative_to(ROOT)))
def test_examples_that_use_a_token_make_it(manual):
    text = manual.read_text(encoding="utf-8")
    made = False
    for block in BLOCK.findall(text):
        # One that stands above in the same manual may be used on, where it was put into the environment.
        made = made or re.search(r"NOVAFEED_TOKEN=\S*\(\S*novafeed token ", block) is not None
        if USES.search(block):
            assert made or MAKES.search(block), block
    if "NOVAFEED_TOKEN" in text:
        assert MAKES.search(text), f"{manual.name} does not say where NOVAFEED_TOKEN comes from"
