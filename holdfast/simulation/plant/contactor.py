"""The link has a main contactor, a precharge relay, and the capacitor behind them."""

import math

PRECHARGE_S = 0.2
"""It is that of a pack that precharges itself."""
MOVE_S = 0.02
"""It is the time from the coil to the main contacts."""


class Contactor:
    """A contactor has a coil and a feedback contact: it closes after a while, opens at once."""

    def __init__(self, closes_after_s: float = PRECHARGE_S) -> None:
        self.commanded = False
        """It tells the state of the relay coil."""
        self.closed = False
        """It tells the state of the main contacts."""
        self.welded = False
        """Fault: the contacts do not open any more."""
        self.stuck_open = False
        """Fault: the contacts do not close."""
        self.feedback_stuck: bool | None = None
        """Fault: the feedback contact shows this, whatever the main contacts do."""
        self._closes_after_s = closes_after_s
        self._driven_s = 0.0

    @property
    def feedback_closed(self) -> bool:
        """Tells the state of the feedback contact."""
        return self.closed if self.feedback_stuck is None else self.feedback_stuck

    def command(self, *, close: bool) -> bool:
        """Switches the coil. Returns True if the main contacts opened by it."""
        self.commanded = close
        if close:
            return False
        self._driven_s = 0.0
        opened = self.closed and not self.welded
        if opened:
            self.closed = False
        return opened

    def step(self, dt_s: float) -> None:
        """Lets ``dt_s`` go by with the coil as it is."""
        if self.commanded and not self.closed and not self.stuck_open:
            self._driven_s += dt_s
            if self._driven_s >= self._closes_after_s - 1e-9:
                self.closed = True


class DcLink:
    """The inverter's capacitor lies behind the contactor, with its precharge.

    It is an RC circuit in closed form: a step may be as long as it likes. The defaults are those
    of a low-voltage inverter of some kW: 52 V are there within 1 V after 0.8 s, and left alone the
    link loses 1 V in about a second.
    """

    def __init__(
        self,
        *,
        resistor_ohm: float = 20.0,
        capacitance_f: float = 0.01,
        bleed_ohm: float = 6000.0,
    ) -> None:
        self.voltage_v = 0.0
        self.current_a = 0.0
        """It flows out of the pack at the end of the last step, without what the inverter takes."""
        self.relay = Contactor(closes_after_s=0.0)
        """This is the precharge relay."""
        self.resistor_ohm = resistor_ohm
        """Fault: infinite, the resistor is burnt; 0, somebody has bridged it."""
        self.capacitance_f = capacitance_f
        """Fault: next to nothing, no inverter is connected."""
        self.load_ohm = math.inf
        """Fault: something draws from the link all the time; small, it is shorted."""
        self._bleed_ohm = bleed_ohm

    def step(self, dt_s: float, pack_v: float, *, main_closed: bool) -> None:
        """Lets ``dt_s`` go by; ``pack_v`` is 0 and ``main_closed`` False for an open pack."""
        self.relay.step(dt_s)
        drain_s = 1.0 / self._bleed_ohm + 1.0 / max(self.load_ohm, 1e-3)
        if main_closed:
            self.voltage_v = pack_v
            self.current_a = pack_v * drain_s
            return
        feed_s = 0.0
        if self.relay.closed and pack_v > 0.0:
            feed_s = 1.0 / max(self.resistor_ohm, 1e-3)
        settled_v = pack_v * feed_s / (feed_s + drain_s)
        decay = math.exp(-dt_s * (feed_s + drain_s) / self.capacitance_f)
        self.voltage_v = settled_v + (self.voltage_v - settled_v) * decay
        self.current_a = (pack_v - self.voltage_v) * feed_s
