"""The package build makes the pages if their sources have changed; it goes on where it cannot."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

SOURCE = Path(__file__).parent.parent.parent / "build_backend" / "pages_build.py"


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The build, with sources and a place for the pages of its own, on a computer without Node."""
    spec = importlib.util.spec_from_file_location("pages_build", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "pages" / "src").mkdir(parents=True)
    (tmp_path / "pages" / "src" / "main.tsx").write_text("export {};")
    monkeypatch.setattr(module, "SOURCES", tmp_path / "pages")
    monkeypatch.setattr(module, "LOCK", tmp_path / "pages" / "package-lock.json")
    monkeypatch.setattr(module, "BUILT", tmp_path / "static")
    monkeypatch.setattr(module, "node_on_path", lambda: None)
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    return module


def test_without_node_it_goes_on_and_says_why(
    build: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    build.BUILT.mkdir()
    (build.BUILT / "index.html").write_text("pages of older sources")
    build.build()
    assert [path.name for path in build.BUILT.iterdir()] == ["why-not.txt"]
    assert "Node.js 20.19" in (build.BUILT / "why-not.txt").read_text()
    assert "all else is installed" in capsys.readouterr().err
    assert not build.is_current()


def test_pages_of_these_sources_are_left_as_they_are(build: ModuleType) -> None:
    build.BUILT.mkdir()
    (build.BUILT / build.STAMP).write_text(build.digest())
    build.build()  # it would leave word, for there is no Node
    assert [path.name for path in build.BUILT.iterdir()] == [build.STAMP]
    (build.SOURCES / "src" / "main.tsx").write_text("export const a = 1;")
    assert not build.is_current()


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("src/new.css", True),
        ("src/main.tsx", True),
        ("node_modules/x/i.js", False),
        ("dev/a", False),
    ],
)
def test_what_the_pages_are_built_from_counts_and_nothing_else(
    build: ModuleType, path: str, counts: bool
) -> None:
    before = build.digest()
    target = build.SOURCES / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("changed")
    assert (build.digest() != before) is counts


@pytest.mark.parametrize(
    ("installed", "is_there"),
    [
        ('{"packages": {"node_modules/a": {"version": "1.0.0"}}}', True),
        ('{"packages": {"node_modules/a": {"version": "0.9.0"}}}', False),
        ('{"packages": {}}', False),
        ("no JSON", False),
    ],
)
def test_what_the_lock_asks_for_is_there_or_not(
    build: ModuleType, installed: str, is_there: bool
) -> None:
    build.LOCK.write_text(
        '{"packages": {"": {}, "node_modules/a": {"version": "1.0.0"},'
        '"node_modules/of-tests": {"version": "1.0.0", "dev": true},'
        '"node_modules/of-another-computer": {"version": "1.0.0", "optional": true}}}'
    )
    folder = build.SOURCES / "node_modules"
    folder.mkdir()
    (folder / ".package-lock.json").write_text(installed)
    assert build._has_packages() is is_there
