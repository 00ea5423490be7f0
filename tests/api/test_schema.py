"""The API against its own description: whatever is sent, as whoever, the answer is one of those
that it describes, and never a failure of ours."""

import asyncio
import importlib
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import CheckFunction
from schemathesis.config._checks import NegativeDataRejectionConfig
from schemathesis.specs.openapi.checks import positive_data_acceptance

from holdfast.api import jobs
from holdfast.api.access import UserRole
from holdfast.api.app import create_app
from holdfast.api.auth.auth import COOKIE, Auth
from holdfast.site.files import SiteFiles
from tests.api.bench import write_site
from tests.api.served import ServedBench, served_bench
from tests.monitoring.history.samples import (
    minutes_of,
    seconds,
    status_at,
    store_in,
    write_all,
)

EXAMPLES = 6
"""So many requests of each kind are tried for each operation and role."""
ENDLESS = "/api/v1/live"
LEFT_OUT: list[CheckFunction] = [positive_data_acceptance]
"""What has the right form may still make no sense, such as an end before its start: 422."""


def described() -> dict[str, Any]:
    """Returns the description of the API."""
    with tempfile.TemporaryDirectory() as folder:
        site, config = write_site(Path(folder))
        files = SiteFiles.of(site)
        auth = Auth(site.api, files, site.name)
        description = create_app(site, files, config, auth).openapi()
        auth.close()
        return description


def configured() -> schemathesis.Config:
    """Returns what counts as a refusal: a body that is too long is one, too."""
    statuses = [*NegativeDataRejectionConfig._DEFAULT_EXPECTED_STATUSES, "413"]
    config = schemathesis.Config()
    config.projects.default.checks.negative_data_rejection.expected_statuses = statuses
    return config


api = schemathesis.openapi.from_dict(described(), config=configured()).exclude(path=ENDLESS)


async def done_here(name: str, question: bytes) -> bytes:
    """Does a job without a process of its own, of which hundreds would be begun; draws nothing."""
    if name == "report_pdf":
        return b"%PDF-1.7"
    work = importlib.import_module(f"holdfast.api.work.{name}")
    done: bytes = await asyncio.to_thread(work.answer, json.loads(question))
    return done


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedBench]:
    with (
        pytest.MonkeyPatch.context() as patch,
        served_bench(tmp_path_factory.mktemp("site")) as served,
    ):
        assert served.bench is not None
        patch.setattr(jobs, "_run", done_here)
        store = store_in(Path(served.bench.site.state_dir))
        write_all(store, minutes_of(map(status_at, seconds(120))))
        store.close()
        yield served


@pytest.mark.parametrize("role", [None, *UserRole])
@api.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_one_that_is_described(
    case: schemathesis.Case, served: ServedBench, role: UserRole | None
) -> None:
    assert served.bench is not None
    headers = {"X-Holdfast": "1"}
    if role is not None:
        # What is asked of auth may end the session.
        anew = str(case.path).startswith("/api/v1/auth")
        secret = served.bench.secret_of(role) if anew else served.secret_of(role)
        headers["Cookie"] = f"{COOKIE}={secret}"
    case.call_and_validate(
        base_url=served.url, headers=headers, excluded_checks=LEFT_OUT, timeout=60
    )
