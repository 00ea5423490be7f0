"""What makes the site notices what is left out, and what would be fetched from elsewhere."""

import importlib.util
from collections.abc import Callable
from typing import Any

import pytest

from tests.docs.shown_commands import PAGES, ROOT


@pytest.fixture(scope="module")
def conf() -> Any:
    """The configuration of Sphinx, as a module."""
    spec = importlib.util.spec_from_file_location("docs_conf", ROOT / "docs" / "conf.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_page_stands_in_a_list(conf: Any) -> None:
    listed = {"README"}
    for page, heading in conf.LISTS.items():
        text = (ROOT / f"{page}.md").read_text("utf-8")
        folder = (ROOT / page).parent
        for pages in conf.groups(text, heading).values():
            listed |= {str((folder / name).relative_to(ROOT)) for name in pages}
    there = {str(page.relative_to(ROOT).with_suffix("")) for page in PAGES}
    assert there - listed == set()


def test_a_list_is_grouped_by_who_reads(conf: Any) -> None:
    text = "# A\n[x](x.md)\n## More\n### For you\n- [y](docs/y.md#z), [w](w.md): [w](w.md)\n"
    assert conf.groups(text, "## More") == {"For you": ["w"]}


@pytest.mark.parametrize(
    ("page", "elsewhere"),
    [
        ('<script src="https://a/b.js"></script>', ["https://a/b.js"]),
        ('<link rel="x" href="//a/b.css">', ["//a/b.css"]),
        ('<a href="https://a/">a link is followed by who wants to</a>', []),
        ('<script src="_static/b.js"></script>', []),
    ],
)
def test_what_a_browser_would_fetch_from_elsewhere_is_seen(
    conf: Any, page: str, elsewhere: list[str]
) -> None:
    found: Callable[[str], list[str]] = conf.fetched_from_elsewhere
    assert found(page) == elsewhere
