"""The main contactor: closes after a precharge, opens at once, wears when it breaks current."""

PRECHARGE_S = 0.2


class Contactor:
    """Driven by a coil, seen by a feedback contact."""

    def __init__(self) -> None:
        self.commanded = False
        """State of the relay coil."""
        self.closed = False
        """State of the main contacts."""
        self.welded = False
        """Fault: the contacts do not open any more."""
        self.stuck_open = False
        """Fault: the contacts do not close."""
        self.feedback_stuck: bool | None = None
        """Fault: what the feedback contact shows, whatever the main contacts do."""
        self._precharged_s = 0.0

    @property
    def feedback_closed(self) -> bool:
        """State of the feedback contact."""
        return self.closed if self.feedback_stuck is None else self.feedback_stuck

    def command(self, *, close: bool) -> bool:
        """Switch the coil. True if the main contacts opened by it."""
        self.commanded = close
        if close:
            return False
        self._precharged_s = 0.0
        opened = self.closed and not self.welded
        if opened:
            self.closed = False
        return opened

    def step(self, dt_s: float) -> None:
        """Let ``dt_s`` of precharge go by."""
        if self.commanded and not self.closed and not self.stuck_open:
            self._precharged_s += dt_s
            if self._precharged_s >= PRECHARGE_S - 1e-9:
                self.closed = True
