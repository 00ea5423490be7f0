"""Of npm's packages it is told which ones are in the pages."""

import re
from pathlib import Path

from release.npm_parts import npm_parts

ROOT = Path(__file__).parents[2]


def test_whatever_a_page_imports_is_in_the_pages() -> None:
    sources = [*(ROOT / "pages" / "src").rglob("*.ts*"), *(ROOT / "pages" / "worker").rglob("*.ts")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    found = re.findall(r"""(?:from|import) "([@a-z][^"]*)";""", text)
    names = {"/".join(name.split("/")[: 2 if name[0] == "@" else 1]) for name in found}
    shipped = {part.name for part in npm_parts(ROOT) if part.in_pages}
    assert {"preact", "uplot"} <= names
    assert names <= shipped | {"vite"}


def test_what_builds_them_is_not_on_a_site_and_what_develops_them_is_nowhere() -> None:
    found = {part.name: part for part in npm_parts(ROOT)}
    assert not found["vite"].in_pages
    assert not found["rolldown"].in_pages
    assert found["@preact/signals-core"].in_pages
    assert "axe-core" not in found
    assert all(len(part.sha512_hex) == 128 for part in found.values())
