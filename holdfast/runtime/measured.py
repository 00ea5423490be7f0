"""This module tells what was measured of a site: on disk by its planner, now by its controller."""

import logging
from collections.abc import Iterable

from holdfast.client.status_reader import StatusReader
from holdfast.core.config import Site
from holdfast.core.signals import SITE, Signal
from holdfast.forecasting.history import PowerHistory
from holdfast.forecasting.registry import ModelRegistry
from holdfast.forecasting.site_forecast import SiteForecaster, site_forecaster
from holdfast.monitoring.quantities.quantity import QuantityName
from holdfast.monitoring.status.schema import Status
from holdfast.scheduling.export_limit import may_be_throttled
from holdfast.scheduling.loads.progress import LoadProgress
from holdfast.scheduling.planner_memory import PlannerMemory, decode
from holdfast.scheduling.power_sample import PowerSample, remember
from holdfast.site.files import SiteFiles, write_atomically

_log = logging.getLogger(__name__)

_ON = 0.5
"""This is half of the way from off, 0, to on, 1."""


def load_history(files: SiteFiles) -> PowerHistory:
    """Returns what was measured so far; empty if there is nothing usable."""
    for path in (files.history, files.old_history):
        try:
            return PowerHistory.from_bytes(path.read_bytes())
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            _log.warning("%s: the history is lost and begins anew: %s", path.name, error)
    return PowerHistory()


def load_memory(site: Site, files: SiteFiles) -> PlannerMemory:
    """Returns what the planner knew; nothing, with a warning, if there is nothing usable."""
    try:
        return decode(files.planner_memory.read_bytes())
    except FileNotFoundError:
        if site.loads or site.rooms or (site.prices is not None and site.prices.demand_charges):
            _log.warning(
                "there is no %s: what loads had, and the highest import, count from now on",
                files.planner_memory.name,
            )
    except (OSError, ValueError) as error:
        _log.warning(
            "%s: what loads had, and the highest import, count from now on: %s",
            files.planner_memory.name,
            error,
        )
    return PlannerMemory()


def model_registry(files: SiteFiles) -> ModelRegistry:
    """Opens the learned models of a site."""
    return ModelRegistry(files.models, write_atomically)


def forecaster_of(site: Site, files: SiteFiles) -> SiteForecaster:
    """Forecasts from what a planner of ``site`` brought to disk, and what is measured now."""
    history = load_history(files)
    status = StatusReader(files).fresh()
    if status is not None:
        progress = LoadProgress(site, load_memory(site, files).loads_now)
        remember(sample_of(site, status), progress, history)
    return site_forecaster(site, history, model_registry(files))


def sample_of(site: Site, status: Status) -> PowerSample:
    """Returns what the controller's ``status`` says of the house."""
    grid_w = status.value(SITE, Signal.GRID_POWER_W)
    pv_w = status.value(SITE, Signal.PV_POWER_W)
    battery_w = [status.value(unit, Signal.BATTERY_POWER_W) for unit in site.unit_names]
    known_w = [power_w for power_w in battery_w if power_w is not None]
    load_w = None
    if grid_w is not None and pv_w is not None and len(known_w) == len(battery_w):
        # Samples of several devices are not taken at one instant.
        load_w = max(grid_w + pv_w - sum(known_w), 0.0)
    switched = values_of(status, site.switches, Signal.LOAD_ON)
    return PowerSample(
        utc=status.utc,
        load_w=load_w,
        # PV that is throttled or off says nothing of the sun, and is nothing to learn from.
        pv_w=None if pv_w is None or _throttles(status, grid_w) else max(pv_w, 0.0),
        grid_w=grid_w,
        on={name: value >= _ON for name, value in switched.items()},
        room_c=values_of(status, [room.name for room in site.rooms], Signal.ROOM_TEMPERATURE_C),
    )


def _throttles(status: Status, grid_w: float | None) -> bool:
    limits = status.quantities_of(QuantityName.EXPORT_LIMIT).values()
    held_w = [limit.read_back for limit in limits if limit.read_back is not None]
    switches = status.quantities_of(QuantityName.PV_SWITCH).values()
    is_off = any(0.0 in (switch.written, switch.read_back) for switch in switches)
    return is_off or may_be_throttled(min(held_w, default=None), grid_w)


def values_of(status: Status, names: Iterable[str], signal: Signal) -> dict[str, float]:
    """Returns values of loads, rooms or units, by name, where they are good."""
    found = ((name, status.value(name, signal)) for name in names)
    return {name: value for name, value in found if value is not None}
