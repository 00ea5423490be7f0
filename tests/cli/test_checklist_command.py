"""``holdfast checklist`` leads a site from observing to all that it can do."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from holdfast.cli.main import main
from holdfast.deployment.checklist import evidence as evidence_module
from holdfast.deployment.checklist.items import ITEMS
from holdfast.safety.goals import Authority
from holdfast.site.files import SiteFiles
from holdfast.site.site_file import load_site
from tests.cli.json_outputs import OUTPUTS, complaints, shape
from tests.deployment.checklist.sites import (
    make_admin,
    moved,
    running,
    site_file,
    started,
    write_history,
    write_log,
)

PEOPLE = {
    stage: [item.key for item in ITEMS if item.see is None and item.stage is stage]
    for stage in Authority
}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return site_file(tmp_path)


def checklist(config: Path, *arguments: str) -> int:
    return main(["checklist", "--config", str(config), *arguments])


def states(config: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """How each item stands."""
    capsys.readouterr()
    checklist(config, "--json")
    found = json.loads(capsys.readouterr().out)
    assert list(complaints(shape(OUTPUTS["checklist"]), found)) == []
    return {one["item"]: one["standing"] for one in found["items"]}


def test_at_first_a_site_is_released_for_nothing(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert checklist(config) == 1
    shown = capsys.readouterr().out
    assert "before authority: limited\n" in shown
    assert "  [ ] fuse" in shown
    assert "it is released for nothing: it observes; nothing is missing for authority: observe" in (
        shown
    )


def test_a_signature_says_who_and_what_and_can_be_taken_back(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert checklist(config, "--sign", "fuse", "--by", "Jo Example", "--note", "3 x 35 A") == 0
    assert (
        f"fuse: signed by Jo Example on {datetime.now(UTC):%Y-%m-%d}: 3 x 35 A"
        in capsys.readouterr().out
    )
    assert states(config, capsys)["fuse"] == "done"
    assert checklist(config, "--unsign", "fuse") == 0
    assert states(config, capsys)["fuse"] == "open"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--sign", "fuse"), "--by NAME: who has seen it"),
        (("--sign", "fuse", "--by", "  "), "--by NAME: who has seen it"),
        (("--sign", "fuse", "--by", "x" * 10_000), "--by or --note is too long"),
        (("--sign", "fuze", "--by", "Jo"), "fuze: no item has that name"),
        (("--sign", "watched", "--by", "Jo"), "the program sees that by itself"),
        (("--unsign", "fuze"), "fuze: no item has that name"),
        (("--release", "full"), "--by NAME"),
    ],
)
def test_what_cannot_be_signed_is_refused_in_words(
    config: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], told: str
) -> None:
    assert checklist(config, *arguments) == 2
    assert told in capsys.readouterr().err


def test_signatures_that_nobody_can_trust_count_for_nothing(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checklist(config, "--sign", "fuse", "--by", "Jo")
    path = SiteFiles.of(load_site(config)).signatures
    torn = path.read_bytes()[:-5]
    path.write_bytes(torn)
    assert states(config, capsys)["fuse"] == "open"
    checklist(config, "--sign", "place", "--by", "Jo")
    assert states(config, capsys)["place"] == "done"
    assert path.with_suffix(".corrupt").read_bytes() == torn


def test_with_another_fuse_all_is_signed_anew(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checklist(config, "--sign", "fuse", "--by", "Jo")
    config.write_text(config.read_text().replace("17000", "24000"))
    assert states(config, capsys)["fuse"] == "open"


def test_a_site_is_not_released_while_something_is_missing(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert checklist(config, "--release", "limited", "--by", "Jo") == 1
    assert "is not released for authority: limited. Missing:" in capsys.readouterr().out
    config.write_text(config.read_text().replace("observe", "limited"))
    assert main(["check", "--config", str(config)]) == 2
    assert "more than this site is released for, which is nothing" in capsys.readouterr().err


def test_a_site_is_led_to_all_that_it_can_do(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """That the clock of this computer is right is all that a test cannot have."""
    monkeypatch.setattr(evidence_module, "_is_clock_right", lambda: True)
    now = datetime.now(UTC)  # when it runs: hours pass between that and when tests are gathered
    site, begin = load_site(config), now - timedelta(days=4)
    make_admin(site)
    write_log(site, begin, [(0, started(site, "observe"))])
    write_history(site, now.replace(minute=0, second=0) - timedelta(hours=26), 27, battery_w=60.0)
    for item in (*PEOPLE[Authority.LIMITED], "configuration", "proven"):
        assert checklist(config, "--sign", item, "--by", "Jo") == 0
    with running(site):
        assert checklist(config, "--release", "full", "--by", "Jo") == 1
        capsys.readouterr()
        assert checklist(config, "--release", "limited", "--by", "Jo") == 0
    assert "Now write that into site.yaml" in capsys.readouterr().out

    config.write_text(config.read_text().replace("observe", "limited"))
    assert main(["check", "--config", str(config)]) == 0
    write_log(
        site, begin,
        [
            (25, started(site, "limited")), (26, moved("RUNNING", "start")),
            (51, moved("STOPPED", "emergency_stop", "the emergency-stop loop is open")),
            (52, moved("STOPPED", "emergency_stop", "emergency stop by command")),
            (53, started(site, "limited")),
        ],
    )  # fmt: skip
    for item in (*PEOPLE[Authority.FULL], "told_at_night"):
        assert checklist(config, "--sign", item, "--by", "Jo") == 0
    with running(site):
        assert checklist(config, "--release", "full", "--by", "Jo Example") == 0
        config.write_text(config.read_text().replace("limited", "full"))
        capsys.readouterr()
        assert main(["check", "--config", str(config)]) == 0
        assert checklist(config) == 0
    assert "released for authority: full by Jo Example" in capsys.readouterr().out
