"""All text of the pages is in one catalogue, in each language."""

import json
import re
import shutil
import subprocess
from dataclasses import fields
from pathlib import Path

import pytest

from holdfast.control.connection.connection import UNSEEN
from holdfast.control.connection.rows import ROWS
from holdfast.control.kept_out import KEPT_OUT
from holdfast.control.mode_manager import RESERVE
from holdfast.control.regulation.quality import RegulationVerdict
from holdfast.core.asked_slot import AskedBy, SlotTerms
from holdfast.core.manual_slot import ManualMode
from holdfast.core.slot_mode import SlotMode
from tests.ui.conftest import lacks

PAGES = Path(__file__).parent.parent.parent / "pages"
SOURCES = PAGES / "src"
LANGUAGES = {"en", "de"}
CATALOGUE: dict[str, dict[str, str]] = json.loads(
    (SOURCES / "catalogue.json").read_text(encoding="utf-8")
)
CODE = "\n".join(
    path.read_text(encoding="utf-8")
    for path in SOURCES.rglob("*")
    if path.suffix in {".ts", ".tsx"}
)


def blanks(text: str) -> list[str]:
    return sorted(re.findall(r"\{(\w+)\}", text))


@pytest.mark.parametrize("key", CATALOGUE)
def test_every_text_is_there_in_each_language(key: str) -> None:
    texts = CATALOGUE[key]
    assert texts.keys() == LANGUAGES
    assert all(text.strip() == text != "" for text in texts.values())
    assert blanks(texts["en"]) == blanks(texts["de"])


WORDS_OF_THE_SITE = {
    "mode": (*SlotMode, *ManualMode),
    "source": tuple(AskedBy),
    "bound": (*(row.name for row in ROWS), RESERVE, KEPT_OUT, UNSEEN),
    "verdict": tuple(RegulationVerdict),
    "lane": tuple(by for by in AskedBy if by is not AskedBy.PASSIVE),
    "term": tuple(term.name for term in fields(SlotTerms)),
}


@pytest.mark.parametrize("kind", WORDS_OF_THE_SITE)
def test_whatever_the_site_may_say_of_its_modes_has_words(kind: str) -> None:
    assert {f"{kind}.{name}" for name in WORDS_OF_THE_SITE[kind]} - CATALOGUE.keys() == set()


def made_in_code() -> re.Pattern[str]:
    """Returns what matches keys that the code puts together: of a kind, or with a name in it."""
    kinds = {*re.findall(r'named(?:Or)?\(\s*"(\w+)"', CODE), "met"}
    templates = re.findall(r"`([a-z_]+\.[^`\s]*\$\{[^`\s]*)`", CODE)
    patterns = [re.sub(r"\\\$\\\{.*?\\\}", r"\\w+", re.escape(text)) for text in templates]
    return re.compile("|".join([*(rf"{kind}\..+" for kind in sorted(kinds)), *patterns]))


def test_every_text_is_used() -> None:
    made = made_in_code()
    unused = {key for key in CATALOGUE if f'"{key}"' not in CODE and not made.fullmatch(key)}
    assert unused == set()


def test_no_text_stands_in_the_code() -> None:
    node = shutil.which("node")
    if node is None or not (PAGES / "node_modules" / "vite").is_dir():
        lacks("the pages' packages are not installed: npm ci in pages/")
    told = subprocess.run(
        [node, "dev/texts_in_code.mjs"], cwd=PAGES, capture_output=True, text=True, check=True
    )
    assert told.stdout == ""


def test_the_text_in_code_is_found(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None or not (PAGES / "node_modules" / "vite").is_dir():
        lacks("the pages' packages are not installed: npm ci in pages/")
    page = tmp_path / "page.tsx"
    page.write_text('const a = () => <p title="Hello there">Good day {b ? "Dear Sir" : ""}</p>;')
    told = subprocess.run(
        [node, "dev/texts_in_code.mjs", str(page)],
        cwd=PAGES, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert [line.partition(": ")[2] for line in told.stdout.splitlines()] == [
        "Hello there",
        "Good day",
        "Dear Sir",
    ]
