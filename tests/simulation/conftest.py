"""A site and its plant."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from holdfast.core.config import Site
from holdfast.simulation.plant import SitePlant
from holdfast.testing.sites import example_site
from tests.simulation.plant_bench import Bench
from tests.simulation.wire_bench import Served


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return example_site(tmp_path)


@pytest.fixture
def make_bench(site: Site) -> Callable[..., Bench]:
    def make(**options: object) -> Bench:
        bench = Bench(SitePlant.from_site(site, **options))  # type: ignore[arg-type]
        bench.connect()
        return bench

    return make


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench()


@pytest.fixture
async def served(site: Site) -> AsyncIterator[Served]:
    served = Served(site)
    async with served.server:
        yield served
