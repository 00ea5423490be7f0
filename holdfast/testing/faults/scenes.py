"""What the site does when a fault begins."""

from enum import StrEnum


class SiteScene(StrEnum):
    """What the site does when it begins."""

    BOOT = "boot"
    """It has been so since before the start."""
    IDLE = "idle"
    CHARGE = "charging"
    DISCHARGE = "discharging"


AT_ONCE_S = 0.02
"""A cycle."""
RUNNING = (SiteScene.CHARGE, SiteScene.DISCHARGE)
WHENEVER = (SiteScene.IDLE, *RUNNING)
