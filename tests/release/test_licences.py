"""Whoever passes Holdfast on knows under which licences its parts come."""

from pathlib import Path

import pytest

from release import licences
from release.closure import parts, roots
from release.licences import LicenceUnknown, is_obliging, licence_of, page

ROOT = Path(__file__).parents[2]


def test_the_page_is_what_is_installed() -> None:
    text = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")
    assert text == page(), "run: python -m release.licences > docs/licences.md"


def test_all_that_a_site_can_install_is_a_part_and_what_only_tests_need_is_not() -> None:
    names = {part.name for part in parts()}
    assert {*roots()} <= names
    assert {"python-can", "certifi", "gpiod", "scikit-learn"} <= names
    assert not {"pytest", "ruff", "pip-audit"} & names


def test_an_extra_is_told_of_what_not_every_site_installs() -> None:
    found = {part.name: part.extras for part in parts()}
    assert found["gpiod"] == ("gpio",)
    assert found["numpy"] == ()


@pytest.mark.parametrize(
    ("licence", "obliges"),
    [
        ("LGPL-3.0-only", True),
        ("MPL-2.0", True),
        ("MIT", False),
        ("EPL-2.0 OR BSD-3-Clause", False),
        ("MIT AND LGPL-2.1-or-later", True),
    ],
)
def test_a_choice_of_a_permissive_licence_obliges_to_nothing(
    licence: str, *, obliges: bool
) -> None:
    assert is_obliging(licence) is obliges


def test_a_licence_that_nobody_has_read_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(licences, "READ", {})
    with pytest.raises(LicenceUnknown, match=r"cel-python.*licence file"):
        licence_of("cel-python")
