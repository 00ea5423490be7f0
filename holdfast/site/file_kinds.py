"""Each file of a site is of a kind: a table says what is in it, whether that is about persons, and
whether a reset to the state as installed keeps it.

A reset and a wipe are made of it, and a backup can be: what is not in it nobody forgets, for
``tests/site/test_file_kinds.py`` compares it with :class:`~holdfast.site.files.SiteFiles`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from holdfast.site.files import SiteFiles


class Nature(StrEnum):
    """Tells what a file is to its site."""

    SAFETY = "safety"
    """It tells what must hold, or what happened to the hardware: nobody can find that out anew."""
    DEVICE = "device"
    """It tells what devices were seen to do, or held before: proven anew where it is gone."""
    SECRET = "secret"
    """It lets somebody in: accounts, tokens, keys."""
    RECORD = "record"
    """It tells what happened."""
    WISH = "wish"
    """Somebody asked for it: it cannot be computed."""
    LEARNED = "learned"
    """It was learned or computed, and would be again, in days or weeks."""
    FETCHED = "fetched"
    """It comes again by itself, within hours."""
    PASSING = "passing"
    """It counts only while a process runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileKind:
    """Tells of one file or folder of a site."""

    name: str
    """Names the property of ``SiteFiles`` that tells where it is."""
    nature: Nature
    personal: str
    """Tells what in it is about persons; empty if nothing is."""
    kept: str
    """Tells why a reset keeps it; empty if it does not."""
    beside: tuple[str, ...] = ()
    """Holds patterns of what else belongs to it, in the same folder."""

    def path(self, files: SiteFiles) -> Path:
        """Returns where it is."""
        found: Path = getattr(files, self.name)
        return found

    def present(self, files: SiteFiles) -> Iterator[Path]:
        """Yields what of it is there, with what is left of a write or was kept as corrupt."""
        path = self.path(files)
        for pattern in (path.name, f"{path.name}.new", f"{path.stem}.corrupt", *self.beside):
            yield from sorted(path.parent.glob(pattern))


_SAFETY, _DEVICE, _SECRET, _RECORD, _WISH, _LEARNED, _FETCHED, _PASSING = Nature
_USE = "consumption, and with it who was at home when"
_HARDWARE = "it tells of the hardware, which a reset does not replace"

# fmt: off
_TABLE: tuple[tuple[str, Nature, str, str, tuple[str, ...]], ...] = (
    # name             nature    personal                                          kept: why                                                            beside
    ("latches",        _SAFETY,  "",                                               "only `holdfast reset` clears a latched fault or an emergency stop", ()),
    ("starts",         _SAFETY,  "",                                               "a controller that keeps crashing does so after a reset, too",       ()),
    ("wear",           _SAFETY,  "",                                               _HARDWARE,                                                           ()),
    ("taken_over",     _DEVICE,  "",                                               "an inverter is given back as it was before Holdfast, not before the reset", ()),
    ("proofs",         _DEVICE,  "",                                               "",                                                                  ()),
    ("release",        _DEVICE,  "who released the site",                          "",                                                                  ()),
    ("signatures",     _DEVICE,  "who has seen and signed what",                   "",                                                                  ()),
    ("running",        _SAFETY,  "",                                               "",                                                                  ()),
    ("accounts",       _SECRET,  "names, hashes of passwords, passkeys, sessions", "",                                                                  ()),
    ("web_push",       _SECRET,  "whose browsers are told of notices, and where",  "",                                                                  ()),
    ("audit",          _RECORD,  "who did what, when, and from which address",     "",                                                                  ()),
    ("incidents",      _RECORD,  "what the house used for a minute",               "",                                                                  ()),
    ("logs",           _RECORD,  "names and addresses, now and then",              "",                                                                  ()),
    ("config_history", _RECORD,  "contacts, place and who changed it",             "",                                                                  ()),
    ("history_db",     _RECORD,  _USE,                                             "",                                                                  ("history.db-*", "history-backup.db*", "history.corrupt-*")),
    ("history",        _RECORD,  _USE,                                             "",                                                                  ()),
    ("old_history",    _RECORD,  _USE,                                             "",                                                                  ()),
    ("planner_memory", _LEARNED, "temperatures of rooms, and what loads used",     "",                                                                  ()),
    ("models",         _LEARNED, "habits, as a model has learned them",            "",                                                                  ()),
    ("forecast",       _LEARNED, "the expected consumption",                       "",                                                                  ()),
    ("plan",           _LEARNED, "the expected consumption",                       "",                                                                  ()),
    ("notices",        _RECORD,  "",                                               "",                                                                  ()),
    ("notice_memory",  _RECORD,  "",                                               "",                                                                  ()),
    ("notice_ledgers", _RECORD,  "who was told what, and when",                    "",                                                                  ()),
    ("acknowledgement", _RECORD, "who has seen an alarm",                          "",                                                                  ()),
    ("rule_report",    _LEARNED, "",                                               "",                                                                  ()),
    ("judgement",      _LEARNED, "",                                               "",                                                                  ()),
    ("manual",         _WISH,    "who asked for it",                               "",                                                                  ()),
    ("signals",        _WISH,    "",                                               "",                                                                  ()),
    ("prices",         _FETCHED, "",                                               "",                                                                  ()),
    ("weather",        _FETCHED, "",                                               "",                                                                  ()),
    ("control_socket", _PASSING, "",                                               "",                                                                  ()),
    ("stop_socket",    _PASSING, "",                                               "",                                                                  ()),
    ("status",         _PASSING, "",                                               "",                                                                  ()),
    ("heartbeat",      _PASSING, "",                                               "",                                                                  ()),
    ("watchdog",       _PASSING, "",                                               "",                                                                  ()),
    ("history_state",  _PASSING, "",                                               "",                                                                  ()),
    ("apply",          _PASSING, "",                                               "",                                                                  ()),
)
# fmt: on

FILE_KINDS: tuple[FileKind, ...] = tuple(
    FileKind(name=name, nature=nature, personal=personal, kept=kept, beside=beside)
    for name, nature, personal, kept, beside in _TABLE
)


def unknown_files(files: SiteFiles) -> list[Path]:
    """Returns what lies in a site's ``state_dir`` and is of no kind: it is not Holdfast's."""
    known = {path for kind in FILE_KINDS for path in kind.present(files)}
    locks = set(files.state_dir.glob("*.lock"))
    return [path for path in sorted(files.state_dir.iterdir()) if path not in known | locks]
