"""The grid connection limits what all batteries together may do without overloading it."""

from collections.abc import Mapping

from holdfast.core.config import Site
from holdfast.core.data_store import Snapshot
from holdfast.safety.envelope import Envelope, up_to
from holdfast.safety.island import is_islanded
from holdfast.safety.phases import (
    PhaseRest,
    export_room_a,
    import_room_a,
    phase_rests,
    phase_voltage_v,
    unit_shares,
)
from holdfast.safety.rest_of_site import rest_of_site_w


def within_grid_limits(
    site: Site, snapshot: Snapshot, envelopes: Mapping[str, Envelope]
) -> dict[str, Envelope]:
    """Returns ``envelopes`` narrowed so that all units at their ends keep within import and export,
    and within the fuse of each phase.

    A connection that is overloaded without the batteries permits them nothing in that
    direction; it does not order them to help. Where the meter cannot be read nothing is
    narrowed here: that it cannot is a finding, and closes the envelopes. What an island
    discharges does not flow through the connection.
    """
    rest_w = rest_of_site_w(snapshot)
    if rest_w is None:
        return dict(envelopes)
    charge_share = _share(site.grid.import_max_w - rest_w, sum(e.max_w for e in envelopes.values()))
    discharge_share = _share(
        site.grid.export_max_w + rest_w, -sum(e.min_w for e in envelopes.values())
    )
    narrowed = {}
    for unit, envelope in envelopes.items():
        part = up_to(
            charge_w=envelope.max_w * charge_share,
            discharge_w=-envelope.min_w * discharge_share,
            by="grid_connection",
        )
        islanded = is_islanded(unit, snapshot)
        narrowed[unit] = (envelope.intersect_charge if islanded else envelope.intersect)(part)
    rests = phase_rests(site, snapshot)
    return _within_phases(site, snapshot, rests, narrowed) if rests else narrowed


def _within_phases(
    site: Site,
    snapshot: Snapshot,
    rests: tuple[PhaseRest, ...],
    envelopes: Mapping[str, Envelope],
) -> dict[str, Envelope]:
    """Returns ``envelopes`` narrowed so that all units at their ends overload no phase."""
    on_phases, volts = unit_shares(site), phase_voltage_v(snapshot, site.grid.nominal_voltage_v)
    charge_share, discharge_share = dict.fromkeys(envelopes, 1.0), dict.fromkeys(envelopes, 1.0)
    for index, rest in enumerate(rests):
        there = {unit: on[index] for unit, on in on_phases.items() if on[index] > 0.0}
        for room_a, ends, shares in (
            (import_room_a(site, rest), {u: envelopes[u].max_w for u in there}, charge_share),
            (export_room_a(site, rest), {u: -envelopes[u].min_w for u in there}, discharge_share),
        ):
            wanted_w = sum(end_w * there[unit] for unit, end_w in ends.items())
            share = _share(room_a * volts, wanted_w)
            for unit in there:
                shares[unit] = min(shares[unit], share)
    narrowed = {}
    for unit, envelope in envelopes.items():
        part = up_to(
            charge_w=envelope.max_w * charge_share[unit],
            discharge_w=-envelope.min_w * discharge_share[unit],
            by="main_fuse",
        )
        islanded = is_islanded(unit, snapshot)
        narrowed[unit] = (envelope.intersect_charge if islanded else envelope.intersect)(part)
    return narrowed


def _share(permitted_w: float, wanted_w: float) -> float:
    """Returns the permitted share of ``wanted_w``, 0 to 1; none for less than nothing, or NaN."""
    if not permitted_w >= 0.0:
        return 0.0
    return permitted_w / wanted_w if permitted_w < wanted_w else 1.0
