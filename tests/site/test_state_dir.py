"""A stop finds the site's state while site.yaml is being edited."""

from pathlib import Path

import pytest

from holdfast.core.config import Site
from holdfast.site.state_dir import DEFAULT, state_dir_of


def test_the_default_is_that_of_the_configuration() -> None:
    assert Site.model_fields["state_dir"].default == DEFAULT


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name: a\nstate_dir: here\n", "here"),
        ("name: a\nstate_dir: /var/lib/a  # on the disk\n", "/var/lib/a"),
        ('{"name": "a", "state_dir": "here"}', "here"),
        ("name: a\n", DEFAULT),
        ("name: [\nstate_dir: 'he re'\n  wrong: indent\n", "he re"),
        ("name: a\nname: b\nstate_dir: here\n", "here"),
        ("state_dir: [half\nname: a", DEFAULT),
        ("state_dir: 5\n", DEFAULT),
        ("state_dir:\n", DEFAULT),
        ("authority: none\nunknown_key: 1\nstate_dir: here", "here"),
        ("- a list\n", DEFAULT),
        ("", DEFAULT),
        (None, DEFAULT),
    ],
)
def test_it_is_found_whatever_else_is_wrong(text: str | None, told: str, tmp_path: Path) -> None:
    config = tmp_path / "site.yaml"
    if text is not None:
        config.write_text(text)
    assert state_dir_of(config) == tmp_path / told


def test_a_file_that_is_no_text_says_nothing(tmp_path: Path) -> None:
    config = tmp_path / "site.yaml"
    config.write_bytes(b"\xff\xfe\x00")
    assert state_dir_of(config) == tmp_path / DEFAULT
    assert state_dir_of(tmp_path) == tmp_path.parent / DEFAULT
