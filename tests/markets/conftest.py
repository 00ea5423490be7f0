from pathlib import Path

import pytest

from holdfast.markets.price_cache import PriceCache
from holdfast.site.files import write_atomically
from tests.markets.http_server import token

__all__ = ["token"]


@pytest.fixture
def cache(tmp_path: Path) -> PriceCache:
    return PriceCache(tmp_path, write_atomically)
