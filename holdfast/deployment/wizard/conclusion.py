"""What was written is looked at as `holdfast check` does, before anybody relies on it."""

from collections.abc import Iterator
from pathlib import Path

from holdfast.core.errors import HoldfastError
from holdfast.deployment.wizard.question import Answers
from holdfast.deployment.wizard.site_text import site_text
from holdfast.site.examination import examine
from holdfast.site.site_file import parse_site


def write_site(answers: Answers, path: Path, *, replace: bool = False) -> tuple[str, ...]:
    """Writes a site.yaml; returns what has to be looked at in it. Raises OSError."""
    text = site_text(answers)
    write_new(path, text, replace=replace)
    return tuple(_notes(text, path))


def write_new(path: Path, text: str, *, replace: bool) -> None:
    """Writes a file that was not there; with ``replace`` the one that was is kept beside it.

    Raises FileExistsError without that, and OSError.
    """
    if replace and path.exists():
        path.replace(path.with_name(f"{path.name}.before"))
    with path.open("x", encoding="utf-8") as file:
        file.write(text)


def _notes(text: str, path: Path) -> Iterator[str]:
    try:
        found = examine(parse_site(text, source=str(path), folder=path.parent))
    except HoldfastError as error:
        yield f"not right yet: {error}"
        return
    yield from (f"doubt: {doubt}" for doubt in found.doubts)
    if any(each.permits.key == "observe" for each in found.guards):
        yield "some goals are guarded by nobody: `holdfast check` tells which, and what to write"
