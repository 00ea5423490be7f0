"""The documentation as a site, by Sphinx: `make docs` makes it in build/site.

The pages lie where a forge shows them, and the source folder is the whole repository: so a relative
link is right in both. The navigation is the list at the end of README, and that of the decisions;
what stands in neither is a warning, and a warning fails the build
(docs/decisions/0039-one-page-for-forge-and-site.md).
"""

import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.util import logging

ROOT = Path(__file__).parent.parent
LISTS = {"README": "## More", "docs/decisions/README": "# Decisions"}
"""These pages list others, below these headings."""
_LINK = re.compile(r"\]\((?!https?:)([^)#]+)\.md\)")
_ELSEWHERE = re.compile(
    r"<(?:script|link|img|iframe)\b[^>]*?\b(?:src|href)=\"((?:https?:)?//[^\"]*)\""
)

project = "Holdfast"
version = release = re.search(r'"(.*)"', (ROOT / "holdfast" / "__init__.py").read_text("utf-8"))[1]  # type: ignore[index]
project_copyright = "the authors of Holdfast; Apache-2.0"
root_doc = "README"
include_patterns = ["*.md", "docs/**.md", "pages/README.md"]
exclude_patterns = [".*", "build", "dist", "demo-site", "pages/node_modules"]
extensions = ["myst_parser"]
myst_heading_anchors = 4
html_theme = "furo"
html_title = f"Holdfast {release}"
html_copy_source = False
html_show_sphinx = False
html_theme_options = {"navigation_with_keys": True}


def groups(text: str, heading: str) -> dict[str, list[str]]:
    """Returns the pages that are listed below ``heading``, by the sub-headings there.

    >>> groups("# A\\n[x](x.md)\\n## More\\n### For you\\n- [y](docs/y.md): [x](x.md)", "## More")
    {'For you': ['docs/y', 'x']}
    """
    found: dict[str, list[str]] = {}
    caption = ""
    for line in text.partition(f"{heading}\n")[2].splitlines():
        if line.startswith("### "):
            caption = line.removeprefix("### ")
        for page in _LINK.findall(line):
            if all(page not in pages for pages in found.values()):
                found.setdefault(caption, []).append(page)
    return found


def with_navigation(_: Sphinx, page: str, source: list[str]) -> None:
    """Adds to a page that lists others what makes the site's navigation of them."""
    if page not in LISTS:
        return
    for caption, pages in groups(source[0], LISTS[page]).items():
        lines = ["```{toctree}", ":hidden:", f":caption: {caption}" if caption else "", "", *pages]
        source[0] += "\n".join(["", *lines, "```", ""])


def finish(app: Sphinx, error: Exception | None) -> None:
    """Writes the site's first page, and warns of what a browser would fetch from elsewhere."""
    if error is not None or app.builder.name != "html":
        return
    folder = Path(app.outdir)
    (folder / "index.html").write_text(
        '<!doctype html><meta charset="utf-8"><title>Holdfast</title>'
        '<meta http-equiv="refresh" content="0; url=README.html">'
        '<a href="README.html">Holdfast</a>\n',
        encoding="utf-8",
    )
    log = logging.getLogger(__name__)
    for page in folder.rglob("*.html"):
        for address in fetched_from_elsewhere(page.read_text("utf-8")):
            log.warning("%s would fetch %s", page.relative_to(folder), address)


def fetched_from_elsewhere(text: str) -> list[str]:
    """Returns what a browser that shows the page would fetch from another computer.

    >>> fetched_from_elsewhere('<a href="https://a"></a><script src="https://b/c.js"></script>')
    ['https://b/c.js']
    """
    return _ELSEWHERE.findall(text)


def setup(app: Sphinx) -> dict[str, Any]:
    """Sphinx calls this when it has read the configuration."""
    app.connect("source-read", with_navigation)
    app.connect("build-finished", finish)
    return {"parallel_read_safe": True}
