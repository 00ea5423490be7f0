"""Writes a part of a history to a file."""

import os
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from holdfast.api.work.job import run_job
from holdfast.core.config.history import History
from holdfast.monitoring.history.export import Export
from holdfast.monitoring.history.place import HistoryPlace
from holdfast.monitoring.history.reader import HistoryReader


def answer(question: dict[str, Any]) -> bytes:
    """Writes the file at ``path``, in ``format``; returns nothing."""
    config = History.model_validate(question["history"])
    place = HistoryPlace.of(config, Path(question["file"]), os.environ)
    table = Export(
        reader=HistoryReader(place, ZoneInfo(question["timezone"])),
        keys=question["series"],
        start=datetime.fromisoformat(question["start"]),
        end=datetime.fromisoformat(question["end"]),
    )
    path = Path(question["path"])
    if question["format"] == "parquet":
        table.write_parquet(path)
    else:
        with path.open("w", encoding="utf-8") as file:
            file.writelines(table.csv_lines())
    return b""


if __name__ == "__main__":
    run_job(answer)
