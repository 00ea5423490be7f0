"""Learned models have a life: they are trained, compared, released and taken back."""

import logging
from datetime import datetime

import numpy as np

from holdfast.core.quarter_hours import QUARTERS_PER_DAY
from holdfast.forecasting.array_file import ArrayFile
from holdfast.forecasting.channel import (
    RETRAIN_AFTER,
    RETRAIN_AT_MOST,
    Channel,
    Choice,
    mae_between,
    mae_of_forest,
)
from holdfast.forecasting.forest import Forest
from holdfast.forecasting.lookback import Lookback
from holdfast.forecasting.registry import ModelRegistry, RegistryError, Version
from holdfast.forecasting.training import forest_job
from holdfast.forecasting.workshop import Workshop

_log = logging.getLogger(__name__)

_MARGIN = 0.98
"""A challenger is better by this, or it is chance."""
HELD_OUT = 7 * QUARTERS_PER_DAY
"""A challenger has not seen this much, and is compared on it."""
_ROLLBACK_MARGIN = 1.02
"""A version goes if its predecessor is better by this; less is chance."""


class Learner:
    """Keeps the forest of one channel."""

    def __init__(
        self, channel: Channel, registry: ModelRegistry, workshop: Workshop | None
    ) -> None:
        """Without a workshop it uses what was released, and changes nothing."""
        self._channel = channel
        self._registry = registry
        self._workshop = workshop
        self._forests = _readable(registry.versions(channel.name))
        self._ordered_utc = self._newest_utc()

    def forests(self) -> list[tuple[str, Forest]]:
        """Returns the forest in force with its name; none before the first release."""
        return [(f"forest {v.number}", forest) for v, forest in self._forests[:1]]

    def collect(self) -> Forest | None:
        """Returns a challenger whose training is done; None while there is none."""
        answer = None if self._workshop is None else self._workshop.collect(self._channel.name)
        if answer is None:
            return None
        try:
            return Forest.from_arrays(answer.arrays)
        except ValueError as error:
            _log.error("%s: what was trained cannot be used: %s", self._channel.name, error)
            return None

    def release(
        self, challenger: Forest, past: Lookback, end: int, choice: Choice, utc: datetime
    ) -> bool:
        """Releases a challenger if it beats what is in use on what it has not seen."""
        begin = end - HELD_OUT
        new = mae_of_forest(self._channel, past, begin, end, challenger)
        old = mae_between(self._channel, past, begin, end, choice.candidate.model)
        if not new < _MARGIN * old:
            _log.info(
                "%s: the new forest is not released: error %g, in use %g",
                self._channel.name,
                new,
                old,
            )
            return False
        about = {"made_utc": utc.isoformat(), "mae": new, "champion_mae": old}
        try:
            released = self._registry.release(
                self._channel.name, ArrayFile(about=about, arrays=challenger.to_arrays())
            )
        except RegistryError as error:
            _log.error("%s", error)
            return False
        self._forests = [(released, challenger), *self._forests]
        return True

    def review(self, past: Lookback, end: int) -> None:
        """Takes the newest version back if its predecessor does better on the last days."""
        while self._workshop is not None and len(self._forests) > 1:
            (newest, forest), (_, before) = self._forests[:2]
            begin = end - HELD_OUT
            present = mae_of_forest(self._channel, past, begin, end, forest)
            former = mae_of_forest(self._channel, past, begin, end, before)
            if not present > _ROLLBACK_MARGIN * former:
                return
            _log.warning("%s: version %d is taken back", self._channel.name, newest.number)
            self._registry.withdraw(newest)
            self._forests = self._forests[1:]

    def train(self, past: Lookback, end: int, choice: Choice, utc: datetime) -> None:
        """Orders a challenger if the present one is old or its errors have drifted."""
        if self._workshop is None:
            return
        since = None if self._ordered_utc is None else abs(utc - self._ordered_utc)
        due = since is None or since >= RETRAIN_AFTER
        if not due and not (choice.drifted and since is not None and since >= RETRAIN_AT_MOST):
            return
        job = forest_job(past, self._channel.field, end - HELD_OUT, self._channel.pattern)
        if job is not None and self._workshop.submit(self._channel.name, "forest", job):
            self._ordered_utc = utc

    def _newest_utc(self) -> datetime | None:
        for version, _ in self._forests:
            try:
                made = datetime.fromisoformat(str(version.content.about.get("made_utc")))
            except ValueError:
                continue
            return made if made.tzinfo is not None else None
        return None


def _readable(versions: list[Version]) -> list[tuple[Version, Forest]]:
    found = []
    for version in versions:
        try:
            forest = Forest.from_arrays(version.content.arrays)
            forest.predict(np.zeros((1, forest.features)))
        except (ValueError, IndexError) as error:
            _log.warning("model %s %d is skipped: %s", version.kind, version.number, error)
            continue
        found.append((version, forest))
    return found
