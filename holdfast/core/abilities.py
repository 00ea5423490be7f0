"""Abilities tell what the devices of a site can be told beyond a setpoint, for whoever plans."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """By default a site can do nothing but follow a setpoint."""

    throttles_pv: bool = False
    """An inverter takes an export limit; all PV is taken to stand behind such ones."""
    switches_pv: bool = False
    """Inverters take a switch for their PV; all PV is taken to stand behind such ones."""


SETPOINT_ONLY = Abilities()
