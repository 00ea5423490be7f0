"""What was told last is there after a restart, whole or not at all."""

from pathlib import Path

import pytest

from holdfast.core.sealed import seal
from holdfast.markets.price_answer import PriceAnswer
from holdfast.markets.price_cache import Failure, FetchedPrices, PriceCache
from holdfast.markets.prices import Direction
from holdfast.site.files import write_atomically
from tests.markets.builders import NOW, QUARTER, series, source

ENTSOE = source("entsoe", zone="NL", token_env="PRICE_TOKEN")
FETCHED = FetchedPrices(
    utc=NOW,
    answer=PriceAnswer(
        prices=series(0.1, None, -0.2, 1 / 3, length=QUARTER),
        notes=("left out: a price",),
        is_partial=True,
        tariff="E-1R-AGILE-24-10-01-C",
        open_from_utc=NOW + QUARTER,
    ),
)


@pytest.fixture
def cache(tmp_path: Path) -> PriceCache:
    return PriceCache(tmp_path / "state" / "prices", write_atomically)


@pytest.fixture
def path(cache: PriceCache, tmp_path: Path) -> Path:
    """Of the one file that is kept."""
    cache.keep(ENTSOE, Direction.PURCHASE, FETCHED)
    (found,) = (tmp_path / "state" / "prices").iterdir()
    return found


def test_what_is_kept_is_loaded_as_it_was(cache: PriceCache) -> None:
    assert cache.load(ENTSOE, Direction.PURCHASE) is None
    cache.keep(ENTSOE, Direction.PURCHASE, FETCHED)
    assert cache.load(ENTSOE, Direction.PURCHASE) == FETCHED


def test_a_file_of_an_earlier_release_is_read(cache: PriceCache, path: Path) -> None:
    path.write_bytes(seal('{"fetched":0,"currency":"EUR","slots":[[0,3600,0.1]]}'))
    kept = cache.load(ENTSOE, Direction.PURCHASE)
    assert kept is not None
    assert kept.answer == PriceAnswer(prices=kept.prices)
    assert [slot.price_per_kwh for slot in kept.prices] == [0.1]


FAILURE = Failure(utc=NOW, error="HTTP 429", count=3, ask_utc=NOW + QUARTER)


def test_a_failure_is_kept_beside_the_prices_until_it_is_over(cache: PriceCache) -> None:
    cache.forget_failure(ENTSOE, Direction.PURCHASE)
    cache.keep(ENTSOE, Direction.PURCHASE, FETCHED)
    cache.keep_failure(ENTSOE, Direction.PURCHASE, FAILURE)
    assert cache.load_failure(ENTSOE, Direction.PURCHASE) == FAILURE
    assert cache.load_failure(ENTSOE, Direction.FEED_IN) is None
    assert cache.load(ENTSOE, Direction.PURCHASE) == FETCHED
    cache.forget_failure(ENTSOE, Direction.PURCHASE)
    assert cache.load_failure(ENTSOE, Direction.PURCHASE) is None
    assert cache.load(ENTSOE, Direction.PURCHASE) == FETCHED


@pytest.mark.parametrize("content", [b"", b"{}", seal("{}"), seal('{"failed":1e300}')])
def test_a_failure_that_cannot_be_read_keeps_nobody_away(
    cache: PriceCache, path: Path, content: bytes
) -> None:
    path.with_suffix(".failed.json").write_bytes(content)
    assert cache.load_failure(ENTSOE, Direction.PURCHASE) is None


def test_other_questions_have_other_answers(cache: PriceCache) -> None:
    cache.keep(ENTSOE, Direction.PURCHASE, FETCHED)
    assert cache.load(ENTSOE, Direction.FEED_IN) is None
    assert cache.load(source("entsoe", zone="BE", token_env="T"), Direction.PURCHASE) is None
    moved = source("entsoe", zone="NL", token_file="token")
    assert cache.load(moved, Direction.PURCHASE) == FETCHED


def test_only_its_owner_may_read_it(path: Path) -> None:
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0
    assert path.name.startswith("entsoe-")


@pytest.mark.parametrize("place", range(0, 400, 7))
def test_a_file_that_changed_is_not_used(cache: PriceCache, path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place % len(content)] ^= 1
    path.write_bytes(bytes(content))
    assert cache.load(ENTSOE, Direction.PURCHASE) is None


@pytest.mark.parametrize("size", range(0, 200, 13))
def test_a_file_that_is_cut_is_not_used(cache: PriceCache, path: Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:size])
    assert cache.load(ENTSOE, Direction.PURCHASE) is None


@pytest.mark.parametrize(
    "body",
    [
        "{}",
        '{"fetched":0,"currency":"EUR","slots":[[3600,0,0.1]]}',
        '{"fetched":1e300,"currency":"EUR","slots":[]}',
        '{"fetched":0,"currency":"EUR","slots":[[0,3600,0.1],[1800,5400,0.1]]}',
        '{"fetched":NaN,"currency":"EUR","slots":[]}',
    ],
)
def test_what_makes_no_sense_is_not_used_however_well_sealed(
    cache: PriceCache, path: Path, body: str, caplog: pytest.LogCaptureFixture
) -> None:
    path.write_bytes(seal(body))
    assert cache.load(ENTSOE, Direction.PURCHASE) is None
    assert "is not used" in caplog.text


def test_a_folder_in_its_place_stops_nobody(cache: PriceCache, path: Path) -> None:
    path.unlink()
    path.mkdir()
    assert cache.load(ENTSOE, Direction.PURCHASE) is None
    cache.keep(ENTSOE, Direction.PURCHASE, FETCHED)


def test_a_full_disk_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    PriceCache(tmp_path, full).keep(ENTSOE, Direction.PURCHASE, FETCHED)
    assert "No space left" in caplog.text
