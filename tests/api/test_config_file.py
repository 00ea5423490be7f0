"""site.yaml by the API: checked, kept as it was written, and every version can be had back."""

import os
from pathlib import Path

import pytest

from holdfast.core.state_machine import State
from holdfast.site.config_file import ConfigFile
from holdfast.site.site_lock import hold_lock
from tests.api.bench import HEADER, ApiBench


async def _edited(bench: ApiBench, yaml: str, digest: str | None = None) -> dict[str, str]:
    text = await bench.get("/config")
    body = {"yaml": yaml, "digest": digest or text["digest"]}
    answer = await bench.ask("PUT", "/config", body)
    assert answer.status_code == 200, answer.text
    written: dict[str, str] = answer.json()
    return written


async def test_a_change_keeps_comments_and_takes_effect_at_the_next_start(
    bench: ApiBench,
) -> None:
    before = await bench.get("/config")
    assert before["yaml"].startswith(HEADER)
    changed = before["yaml"].replace("name: Test site", "name: Our house  # since June")
    os.chmod(bench.config, 0o640)  # noqa: PTH101
    written = await _edited(bench, changed)
    assert written["effect"] == "at the next start"
    assert bench.config.read_text() == changed
    assert bench.config.stat().st_mode & 0o777 == 0o640
    assert (await bench.get("/config"))["digest"] == written["digest"]
    assert (await bench.get("/status"))["site"] == "Test site"


async def test_a_check_tells_what_changes_and_what_is_wrong_or_doubtful(bench: ApiBench) -> None:
    text = (await bench.get("/config"))["yaml"]
    good = await bench.ask("POST", "/config/check", {"yaml": text})
    assert good.json()["ok"]
    assert good.json()["diff"] == ""
    assert any("no prices" in warning for warning in good.json()["warnings"])
    doubtful = text.replace("import_max_w: 10000", "import_max_w: 10")
    told = (await bench.ask("POST", "/config/check", {"yaml": doubtful})).json()
    assert told["ok"]
    assert any("kW" in doubt for doubt in told["doubts"])
    assert "-  import_max_w: 10000\n+  import_max_w: 10\n" in told["diff"]
    wrong = text.replace("import_max_w: 10000", "import_max_kw: ten").replace("full", "total")
    told = (await bench.ask("POST", "/config/check", {"yaml": wrong})).json()
    assert not told["ok"]
    assert len(told["problems"]) == 3


async def test_what_the_site_could_not_be_run_with_is_not_written(bench: ApiBench) -> None:
    before = bench.config.read_bytes()
    text = await bench.get("/config")
    for yaml in ("name: [", "name: x", text["yaml"].replace("generic_meter", "generic_bms")):
        answer = await bench.ask("PUT", "/config", {"yaml": yaml, "digest": text["digest"]})
        assert answer.status_code == 422
    assert bench.config.read_bytes() == before


async def test_an_edit_of_what_has_changed_meanwhile_is_refused(bench: ApiBench) -> None:
    text = await bench.get("/config")
    bench.config.write_text(text["yaml"] + "# by hand\n")
    body = {"yaml": text["yaml"] + "# by page\n", "digest": text["digest"]}
    answer = await bench.ask("PUT", "/config", body)
    assert answer.status_code == 409
    assert bench.config.read_text().endswith("# by hand\n")


async def test_each_version_can_be_had_back_also_one_that_somebody_made_by_hand(
    bench: ApiBench,
) -> None:
    first = (await bench.get("/config"))["yaml"]
    await _edited(bench, first + "# second\n")
    bench.config.write_text(first + "# by hand\n")
    await _edited(bench, first + "# fourth\n")
    versions = await bench.get("/config/history")
    assert [version["present"] for version in versions] == [True, False, False, False]
    assert [version["by"] for version in versions] == [
        "the admin", "somebody at the computer", "the admin", "somebody at the computer",
    ]  # fmt: skip
    by_hand = versions[1]["id"]
    assert (await bench.get(f"/config/history/{by_hand}"))["yaml"] == first + "# by hand\n"
    answer = await bench.ask("POST", "/config/rollback", {"id": by_hand})
    assert answer.status_code == 200
    assert bench.config.read_text() == first + "# by hand\n"
    assert (await bench.ask("POST", "/config/rollback", {"id": 99})).status_code == 404


def test_only_so_many_versions_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.site.config_file.KEPT", 3)
    monkeypatch.setattr(ConfigFile, "examine", lambda *_: None)
    path = tmp_path / "site.yaml"
    path.write_text("0")
    file = ConfigFile(path, tmp_path / "kept")
    for number in range(1, 6):
        file.write(str(number), edited=file.read().digest, by="me")
    assert [version.yaml for version in file.versions()] == ["5", "4", "3"]
    assert [version.id for version in file.versions()] == [6, 5, 4]


def test_a_link_stays_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ConfigFile, "examine", lambda *_: None)
    place = tmp_path / "real.yaml"
    place.write_text("0")
    link = tmp_path / "site.yaml"
    link.symlink_to(place)
    file = ConfigFile(link, tmp_path / "kept")
    file.write("1", edited=file.read().digest, by="me")
    assert link.is_symlink()
    assert place.read_text() == "1"


async def test_all_processes_are_started_anew_when_it_is_safe(bench: ApiBench) -> None:
    answer = await bench.ask("POST", "/config/apply")
    assert answer.status_code == 409
    assert "no `holdfast run` supervises" in answer.json()["detail"]
    with hold_lock(bench.files, "supervisor"):
        answer = await bench.ask("POST", "/config/apply")
        assert answer.status_code == 200, answer.text
        assert bench.files.apply.exists()
        bench.files.apply.unlink()
        good = bench.config.read_text()
        bench.config.write_text("name: x\n")
        assert (await bench.ask("POST", "/config/apply")).status_code == 409
        bench.config.write_text(good.replace("state_dir: state", "state_dir: other"))
        answer = await bench.ask("POST", "/config/apply")
        assert "state_dir" in answer.json()["detail"]
        bench.config.write_text(good)
        await bench.loop.command("start")  # type: ignore[arg-type]
        await bench.to(State.RUNNING)
        answer = await bench.ask("POST", "/config/apply")
        assert (answer.status_code, answer.json()["detail"]) == (
            409, "the site is RUNNING; stop it first",
        )  # fmt: skip
    assert not bench.files.apply.exists()
