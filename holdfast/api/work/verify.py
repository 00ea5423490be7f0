"""Verifies an audit log."""

from pathlib import Path
from typing import Any

from pydantic_core import to_json

from holdfast.api.work.job import run_job
from holdfast.client.audit_reader import verdict_content, verify_folder


def answer(question: dict[str, Any]) -> bytes:
    """Returns the verdict on the log in ``folder``."""
    return to_json(verdict_content(verify_folder(Path(question["folder"]))))


if __name__ == "__main__":
    run_job(answer)
