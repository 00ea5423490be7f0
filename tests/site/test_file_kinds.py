"""Whatever a site writes is of a kind: a reset, a wipe and a backup forget nothing."""

from pathlib import Path

from holdfast.site.file_kinds import FILE_KINDS, Nature, unknown_files
from holdfast.site.files import SiteFiles

_NO_FILE = {"of", "create", "lock", "notice_ledger", "state_dir", "traces"}
"""``traces`` are others of the list, a ledger is in ``notice_ledgers``; a lock is never removed: it
is empty while nobody holds it."""


def test_each_file_of_a_site_is_classified_once():
    attributes = {name for name in vars(SiteFiles) if not name.startswith("_")}
    names = [kind.name for kind in FILE_KINDS]
    assert sorted(names) == sorted(attributes - _NO_FILE)


def test_what_is_about_persons_is_never_kept_at_a_reset():
    assert [kind.name for kind in FILE_KINDS if kind.personal and kind.kept] == []


def test_a_reset_keeps_the_latches_and_all_that_tells_of_a_missing_latch_file(tmp_path: Path):
    files = SiteFiles(state_dir=tmp_path)
    kept = {kind.path(files) for kind in FILE_KINDS if kind.kept}
    assert {files.latches, files.starts, files.wear} <= kept


def test_what_lets_somebody_in_is_not_kept():
    assert [kind.name for kind in FILE_KINDS if kind.nature is Nature.SECRET and kind.kept] == []


def test_what_is_beside_a_file_goes_with_it_and_what_is_not_ours_is_told(tmp_path: Path):
    files = SiteFiles(state_dir=tmp_path)
    ours = ("latches.json", "latches.corrupt", "history.db", "history.db-wal", "history-backup.db",
            "history.corrupt-20260101T000000Z.db", "plan.json.gz.new",
            "controller.lock")  # fmt: skip
    for name in (*ours, "my-notes.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in unknown_files(files)] == ["my-notes.txt"]
