"""``holdfast config``: each version of site.yaml can be had back, also without a page."""

import json
from pathlib import Path

import pytest
import yaml

from holdfast.cli.main import main
from holdfast.client.status_reader import StatusReader
from holdfast.core.state_machine import State
from holdfast.site.config_file import ConfigFile
from holdfast.site.files import SiteFiles
from holdfast.testing.rig import Rig
from holdfast.testing.sites import example_content
from tests.cli.json_outputs import OUTPUTS, complaints, shape


class Desk:
    """A site whose site.yaml was edited by hand between two starts."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.config = folder / "site.yaml"
        self._capsys = capsys
        self.files = SiteFiles(state_dir=folder / "state")
        self.files.create()
        self.versions = ConfigFile(self.config, self.files.config_history)
        self.first = self.write(import_max_w=17_000)
        self.versions.keep_present()
        self.second = self.write(import_max_w=12_000)
        self.versions.keep_present()

    def write(self, import_max_w: int) -> str:
        content = example_content(self.config.parent)
        content["grid"]["import_max_w"] = import_max_w
        text = f"# {import_max_w} of them\n{yaml.safe_dump(content)}"
        self.config.write_text(text)
        return text

    def run(self, *words: str) -> tuple[int, str, str]:
        code = main(["config", *words, "--config", str(self.config)])
        shown = self._capsys.readouterr()
        return code, shown.out, shown.err


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(tmp_path, capsys)


def test_versions_are_listed_shown_and_compared(desk: Desk) -> None:
    code, out, _ = desk.run("versions")
    assert code == 0
    newest, oldest = out.splitlines()[1:]
    assert newest.split()[0] == "2"
    assert "as it is now" in newest
    assert "somebody at the computer" in oldest
    assert desk.run("show", "1")[1] == desk.first
    _, diff, _ = desk.run("diff", "1")
    assert "-  import_max_w: 17000" in diff
    assert "+  import_max_w: 12000" in diff
    assert desk.run("diff", "2")[1] == "they are the same\n"
    assert "+  import_max_w: 17000" in desk.run("diff", "2", "1")[1]


def test_a_start_keeps_each_version_once(desk: Desk) -> None:
    desk.versions.keep_present()
    assert len(desk.versions.versions()) == 2


def test_going_back_makes_a_new_version_and_keeps_what_was_edited_meanwhile(desk: Desk) -> None:
    by_hand = desk.write(import_max_w=9_000)
    code, out, _ = desk.run("rollback", "1")
    assert code == 0
    assert "it takes effect when the site is started" in out
    assert desk.config.read_text() == desk.first
    assert [version.yaml for version in desk.versions.versions()] == [
        desk.first, by_hand, desk.second, desk.first
    ]  # fmt: skip


def test_a_file_that_is_no_yaml_can_be_taken_back(desk: Desk) -> None:
    desk.config.write_text("name: [\n")
    assert desk.run("rollback", "2")[0] == 0
    assert desk.config.read_text() == desk.second


def test_a_version_that_no_site_could_be_run_with_is_refused(desk: Desk) -> None:
    desk.config.write_text("name: [\n")
    desk.versions.keep_present()
    desk.config.write_text(desk.second)
    code, _, err = desk.run("rollback", "3")
    assert code == 2
    assert "site.yaml" in err
    assert desk.config.read_text() == desk.second


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("show",), "needs NUMBER"),
        (("versions", "1"), "takes no NUMBER"),
        (("rollback", "7"), "version 7 is not kept"),
    ],
)
def test_what_cannot_be_is_refused(desk: Desk, words: tuple[str, ...], told: str) -> None:
    code, _, err = desk.run(*words)
    assert code == 2
    assert told in err


def test_programs_get_what_the_page_says(desk: Desk) -> None:
    for words in (["versions"], ["show", "1"], ["diff", "1"], ["rollback", "1"]):
        code, out, _ = desk.run(*words, "--json")
        assert code == 0
        assert list(complaints(shape(OUTPUTS[f"config {words[0]}"]), json.loads(out))) == []


def test_a_site_that_runs_goes_on_and_that_is_said(tmp_path: Path) -> None:
    with Rig(tmp_path) as rig:
        rig.start_plant()
        rig.start("watchdog", "controller")
        rig.until_state(State.IDLE)
        versions = ConfigFile(rig.config, rig.files.config_history)
        versions.keep_present()
        rig.config.write_text(rig.config.read_text().replace("name: example", "name: other"))
        told = rig.cli("config", "rollback", "1")
        assert told.returncode == 0, told.stderr
        assert "this takes effect at the next start" in told.stdout
        assert StatusReader(rig.files).fresh() is not None
        assert "taken back to version 1" in rig.cli("audit", "show").stdout
