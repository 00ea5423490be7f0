"""A site's auth for each test that asks for one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.auth.bench import AuthBench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[AuthBench]:
    bench = AuthBench(tmp_path)
    yield bench
    bench.close()
