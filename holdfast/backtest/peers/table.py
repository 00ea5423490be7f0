"""The table of peers: what each does, and from what load it expects."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from holdfast.backtest.peers.like_emhass import like_emhass
from holdfast.backtest.peers.like_evcc import like_evcc
from holdfast.backtest.peers.like_predbat import like_predbat
from holdfast.core.quarter_hours import QUARTERS_PER_DAY, quarter_of
from holdfast.forecasting.history import Field, PowerHistory
from holdfast.forecasting.lookback import look_back
from holdfast.forecasting.models import Model, by_pattern, persistence
from holdfast.forecasting.pattern import WEEK
from holdfast.forecasting.site_forecast import SiteForecast
from holdfast.scheduling.strategies.table import StrategyRow

_LOOK = 8 * QUARTERS_PER_DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerStrategy:
    """Describes one peer."""

    row: StrategyRow
    load: Model
    """It expects load by this model; PV is expected as Holdfast does."""


PEERS: Mapping[str, PeerStrategy] = {
    "like_emhass": PeerStrategy(
        row=StrategyRow(
            does="gives the battery the powers of a linear program on one forecast, load as "
            "yesterday; 60 % are stored at the end of the known prices",
            rule=like_emhass,
        ),
        load=persistence(Field.LOAD_W),
    ),
    "like_predbat": PeerStrategy(
        row=StrategyRow(
            does="tries windows of charging, of freezing and of exporting in a simulation, load as "
            "in the mean week, and follows load and PV else",
            rule=like_predbat,
        ),
        load=by_pattern(Field.LOAD_W, WEEK),
    ),
    "like_evcc": PeerStrategy(
        row=StrategyRow(
            does="charges from the grid in the three cheapest hours of each day, and follows load "
            "and PV else",
            rule=like_evcc,
        ),
        load=persistence(Field.LOAD_W),
    ),
}


def expected_by(
    peer: PeerStrategy, history: PowerHistory, zone: str, now_utc: datetime, forecast: SiteForecast
) -> SiteForecast:
    """Returns ``forecast`` with the load that the peer expects, as far as it expects any."""
    count = len(forecast.load.mean_w)
    past = look_back(
        history,
        zone,
        first=quarter_of(now_utc) - _LOOK,
        count=_LOOK + count,
        fields=(Field.LOAD_W,),
    )
    load_w = peer.load(past, _LOOK, count)
    load_w = np.where(np.isfinite(load_w), load_w, np.array(forecast.load.mean_w))
    return replace(forecast, load=replace(forecast.load, mean_w=tuple(load_w.tolist())))
