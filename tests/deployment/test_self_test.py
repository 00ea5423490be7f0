"""A release tries itself on copies of the sites before anything is switched."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from holdfast.deployment.backup.writing import write_backup
from holdfast.monitoring.history.database import open_to_write
from holdfast.monitoring.history.place import HistoryPlace
from holdfast.site.files import SiteFiles
from holdfast.site.site_file import load_site
from holdfast.testing.sites import example_content


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "house" / "site.yaml"
    path.parent.mkdir()
    path.write_text(yaml.safe_dump(example_content(path.parent)))
    files = SiteFiles.of(load_site(path))
    files.create()
    open_to_write(HistoryPlace.in_file(files.history_db)).dispose()
    return path


def self_test(config: Path, *, newer: bool = False) -> subprocess.CompletedProcess[str]:
    backup = config.parent.parent / "b.zip"
    write_backup(config, load_site(config), backup)
    if newer:
        database = config.parent / "state" / "history.db"
        engine = open_to_write(HistoryPlace.in_file(database))
        with engine.begin() as connection:
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        engine.dispose()
        backup.unlink()
        write_backup(config, load_site(config), backup)
    command = [sys.executable, "-m", "holdfast.deployment.self_test"]
    return subprocess.run(
        [*command, "--site", config, backup], capture_output=True, text=True, check=False
    )


def test_it_checks_the_site_the_history_and_a_simulated_quarter_of_an_hour(config: Path) -> None:
    before = {path: path.read_bytes() for path in config.parent.rglob("*") if path.is_file()}
    ended = self_test(config)
    assert ended.returncode == 0, ended.stderr
    after = {path: path.read_bytes() for path in config.parent.rglob("*") if path.is_file()}
    assert after == before


def test_a_history_that_it_cannot_work_with_is_told(config: Path) -> None:
    ended = self_test(config, newer=True)
    assert ended.returncode == 1
    assert "was written by a newer release" in ended.stderr
