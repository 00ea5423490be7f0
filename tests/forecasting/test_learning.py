"""Learned models: released only if better, trained again on drift or age, taken back if worse."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from holdfast.core.quarter_hours import quarter_of
from holdfast.forecasting.array_file import ArrayFile, Floats
from holdfast.forecasting.channel import LOAD, Choice, choose, has_drifted
from holdfast.forecasting.features import NAMES
from holdfast.forecasting.forest import Forest
from holdfast.forecasting.history import Field, PowerHistory
from holdfast.forecasting.learning import Learner
from holdfast.forecasting.lookback import Lookback, look_back
from holdfast.forecasting.registry import ModelRegistry
from holdfast.forecasting.scoring import Errors
from holdfast.forecasting.site_forecast import SiteForecaster
from holdfast.forecasting.workshop import NEEDS, Bench, missing_library
from holdfast.runtime.child_workshop import ChildWorkshop
from holdfast.site.files import write_atomically

NOON = datetime(2026, 5, 8, 12, tzinfo=UTC)
NOW = quarter_of(NOON)
DAY = timedelta(days=1)
DAYS = 80


class Orders:
    """Takes orders and answers each with the forest it was given."""

    def __init__(self, answer: Forest) -> None:
        self.answer = answer
        self.orders: list[str] = []
        self._ready = False

    def submit(self, name: str, kind: str, job: ArrayFile) -> bool:
        self.orders.append(kind)
        self._ready = True
        return True

    def collect(self, name: str) -> ArrayFile | None:
        ready, self._ready = self._ready, False
        return ArrayFile(about={}, arrays=self.answer.to_arrays()) if ready else None


def always(value: float) -> Forest:
    return Forest(
        root=np.array([0], np.int32),
        feature=np.array([0], np.int32),
        threshold=np.array([0.0]),
        child=np.array([0, 0], np.int32),
        value=np.array([value]),
        depth=0,
        features=len(NAMES),
    )


def noisy_past(level: float = 1000.0, noise: float = 400.0) -> tuple[Lookback, int, PowerHistory]:
    """Load without any habit: its mean is the best that can be said."""
    random = np.random.default_rng(1)
    history = PowerHistory()
    load = np.maximum(level + random.normal(0, noise, DAYS * 96), 0.0)
    history.put(Field.LOAD_W, NOW - DAYS * 96, load)
    past = look_back(history, "UTC", first=NOW - DAYS * 96, count=DAYS * 96, fields=LOAD.inputs)
    return past, DAYS * 96, history


@pytest.fixture
def registry(tmp_path: Path) -> ModelRegistry:
    return ModelRegistry(tmp_path / "models", write_atomically)


def released(learner: Learner, forest: Forest, past: Lookback, end: int) -> bool:
    return learner.release(forest, past, end, choose(LOAD, past, end, [], NOON), NOON)


def test_a_challenger_is_released_only_if_it_beats_what_is_in_use(registry: ModelRegistry) -> None:
    past, end, _ = noisy_past()
    learner = Learner(LOAD, registry, Orders(always(0.0)))
    assert not released(learner, always(9000.0), past, end)
    assert registry.versions("load") == []
    assert released(learner, always(1000.0), past, end)
    assert [name for name, _ in learner.forests()] == ["forest 1"]
    again = Learner(LOAD, registry, None)  # after a restart
    assert [name for name, _ in again.forests()] == ["forest 1"]
    chosen = choose(LOAD, past, end, again.forests(), NOON)
    assert chosen.candidate.name == "forest 1"


def test_a_version_that_does_worse_than_the_one_before_is_taken_back(
    registry: ModelRegistry,
) -> None:
    past, end, _ = noisy_past()
    for value in (1000.0, 1900.0):
        registry.release("load", ArrayFile(about={}, arrays=always(value).to_arrays()))
    reader = Learner(LOAD, registry, None)
    reader.review(past, end)
    assert reader.forests()[0][0] == "forest 2"  # who only reads takes nothing back
    learner = Learner(LOAD, registry, Orders(always(0.0)))
    learner.review(past, end)
    assert learner.forests()[0][0] == "forest 1"
    assert [version.number for version in registry.versions("load")] == [1]


def test_what_is_no_forest_is_skipped(registry: ModelRegistry) -> None:
    registry.release("load", ArrayFile(about={}, arrays=always(1000.0).to_arrays()))
    registry.release("load", ArrayFile(about={}, arrays={"value": np.zeros(3)}))
    assert Learner(LOAD, registry, None).forests()[0][0] == "forest 1"


def drift(late: float) -> Errors:
    origins = np.arange(0, 28 * 96, 20)
    size = np.where(origins > 25 * 96, late, 100.0)
    return Errors(origins=origins, first=0, error=np.tile(size[:, None], (1, 96)))


def test_drift_is_an_error_that_has_grown_by_half() -> None:
    assert has_drifted(drift(160.0))
    assert not has_drifted(drift(140.0))
    assert not has_drifted(drift(float("nan")))


@pytest.mark.parametrize(
    ("age", "drifted", "trains"),
    [
        (timedelta(days=8), False, True),
        (timedelta(days=6), False, False),
        (timedelta(days=6), True, True),
        (timedelta(hours=23), True, False),
        (timedelta(days=-400), False, True),  # released by a clock that was ahead
    ],
)
def test_it_trains_again_on_age_or_drift(
    registry: ModelRegistry, age: timedelta, drifted: bool, trains: bool
) -> None:
    made = {"made_utc": (NOON - age).isoformat()}
    registry.release("load", ArrayFile(about=made, arrays=always(1000.0).to_arrays()))
    orders = Orders(always(0.0))
    past, end, _ = noisy_past()
    choice = Choice(candidate=LOAD.baseline, drifted=drifted)
    Learner(LOAD, registry, orders).train(past, end, choice, NOON)
    assert orders.orders == (["forest"] if trains else [])


def test_too_short_a_past_trains_nothing(registry: ModelRegistry) -> None:
    past, _, _ = noisy_past()
    orders = Orders(always(0.0))
    Learner(LOAD, registry, orders).train(past, 20 * 96, Choice(candidate=LOAD.baseline), NOON)
    assert orders.orders == []


def test_a_forecaster_trains_compares_releases_and_uses(registry: ModelRegistry) -> None:
    _, _, history = noisy_past()
    orders = Orders(always(1000.0))
    forecaster = SiteForecaster(history, registry=registry, workshop=orders)
    forecaster.learn(NOON)
    assert orders.orders == ["forest"]
    load = forecaster.forecast(NOON, 24).load
    assert load.model == "forest 1"
    assert np.abs(np.array(load.mean_w[8:]) - 1000.0).max() < 250.0
    forecaster.learn(NOON + timedelta(hours=1))  # not due
    assert orders.orders == ["forest"]
    reader = SiteForecaster(history, registry=registry)
    reader.learn(NOON)
    assert reader.forecast(NOON, 24).load.model == "forest 1"


def _evening(random: np.random.Generator) -> Floats:
    quarter = np.arange(DAYS * 96) % 96
    return np.where(quarter > 70, 2000.0, 300.0) + random.normal(0, 100, DAYS * 96)


@pytest.mark.parametrize("make", [Bench, ChildWorkshop])
def test_a_forest_is_really_trained_here_or_in_a_child(
    registry: ModelRegistry, make: Callable[[], Bench | ChildWorkshop]
) -> None:
    if missing_library("forest") is not None:
        pytest.skip("needs scikit-learn")
    history = PowerHistory()
    history.put(Field.LOAD_W, NOW - DAYS * 96, _evening(np.random.default_rng(1)))
    past = look_back(history, "UTC", first=NOW - DAYS * 96, count=DAYS * 96, fields=LOAD.inputs)
    workshop = make()
    learner = Learner(LOAD, registry, workshop)
    learner.train(past, DAYS * 96, Choice(candidate=LOAD.baseline), NOON)
    forest = learner.collect()
    if isinstance(workshop, ChildWorkshop):
        workshop._orders["load"].join()
        forest = learner.collect()
    assert forest is not None
    assert learner.collect() is None
    assert forest.features == len(NAMES)
    assert forest.value.min() < 600.0 < 1700.0 < forest.value.max()


@pytest.mark.parametrize("make", [Bench, ChildWorkshop])
def test_without_its_library_work_is_not_begun_and_that_is_told_once(
    make: Callable[[], Bench | ChildWorkshop],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setitem(NEEDS, "forest", "no_such_library")
    workshop = make()
    for _ in range(2):
        assert not workshop.submit("load", "forest", ArrayFile(about={}, arrays={}))
    assert workshop.collect("load") is None
    assert len(caplog.records) == 1
    assert "holdfast[forecast]" in caplog.text


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.forecasting.workshop.find_spec", lambda name: None)
    assert "holdfast[forecast]" in str(missing_library("pv"))
    assert not ChildWorkshop().submit("load", "forest", ArrayFile(about={}, arrays={}))
