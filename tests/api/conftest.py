"""The bench that the tests of the API share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.api.bench import ApiBench, api_bench


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[ApiBench]:
    async with api_bench(tmp_path) as bench:
        yield bench
