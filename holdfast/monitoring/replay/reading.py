"""A recording is read whole, and within bounds: it may come from anybody."""

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final

from holdfast.control.cycle import CycleState, Inputs
from holdfast.control.plan_gate import AcceptedPlan
from holdfast.core.data_store import Image
from holdfast.core.errors import ConfigError
from holdfast.core.reading import Sample
from holdfast.core.signals import Signal
from holdfast.core.texts import MAX_NAME, shown
from holdfast.monitoring.replay.coding import (
    Json,
    MalformedRecord,
    canonical,
    coding_of,
    mapping_of,
)
from holdfast.monitoring.replay.recording import (
    COMMANDS,
    DECIDED,
    END,
    FORMAT,
    HEAD,
    SAMPLES,
    STATE,
    RecordingEnd,
    RecordingHead,
)

MAX_BYTES: Final = 100_000_000
MAX_CYCLES: Final = 100_000
TEXT: Final = coding_of(str)
NAMES: Final = coding_of(tuple[str, ...])
WHOLE: Final = coding_of(int)
MAYBE_WHOLE: Final = coding_of(int | None)
MAYBE_PLAN: Final = coding_of(AcceptedPlan | None)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedCycle:
    """Holds one cycle of a recording."""

    inputs: Inputs
    before: CycleState | None
    """Holds the state before it, where that stands in the recording."""
    before_text: str
    """Is that as text; empty without it."""
    decided: Mapping[str, str]
    """Holds what each stage decided, as text; of a cycle that raised what the last one did."""
    raised: str | None
    """Tells what the cycle raised; None: it ran."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRecording:
    """Holds a whole recording."""

    head: RecordingHead
    site: Mapping[str, Json]
    """Holds what site.yaml said, as far as it was kept."""
    cycles: tuple[RecordedCycle, ...]
    end: RecordingEnd | None
    """None: the recording breaks off."""


def read_recording(path: Path) -> IncidentRecording:
    """Returns the recording in a file. Raises ConfigError, and MalformedRecord if it is none."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from error
    try:
        return parse_recording(content)
    except MalformedRecord as error:
        raise MalformedRecord(f"{path}: {error}") from None


def parse_recording(content: bytes) -> IncidentRecording:
    """Returns the recording that ``content`` is. Raises MalformedRecord."""
    lines = _lines(_unpacked(content))
    number, first = next(lines, (1, {}))
    if "recording" not in first:
        raise MalformedRecord("is no recording of Holdfast")
    if first["recording"] != FORMAT:
        raise MalformedRecord(f"has another form than {FORMAT}: a newer Holdfast reads it")
    with _line(number):
        head = HEAD.decode(first.get("head"))
        site = mapping_of(first.get("site"), "a site")
    decoder = _CycleDecoder()
    cycles: list[RecordedCycle] = []
    end = None
    for number, line in lines:
        with _line(number):
            if "end" in line:
                end = END.decode(line["end"])
                break
            if "state" in line:
                decoder.take_state(line["state"])
            elif len(cycles) < MAX_CYCLES:
                cycles.append(decoder.cycle(line))
            else:
                raise MalformedRecord(f"there are more than {MAX_CYCLES} cycles")
    if not cycles or cycles[0].before is None:
        raise MalformedRecord("has no cycle with the state before it")
    return IncidentRecording(head=head, site=site, cycles=tuple(cycles), end=end)


class _CycleDecoder:
    """Puts together what each cycle has in common with the one before."""

    def __init__(self) -> None:
        self._state: CycleState | None = None
        self._state_text = ""
        self._image: Image = {}
        self._plan: AcceptedPlan | None = None
        self._decided: dict[str, str] = {}

    def take_state(self, content: Json) -> None:
        """Takes the state before the next cycle."""
        self._state, self._state_text = STATE.decode(content), canonical(content)

    def cycle(self, content: Mapping[str, Json]) -> RecordedCycle:
        """Returns the next cycle."""
        inputs = self._inputs(content)
        raised = content.get("raised")
        if raised is None:
            changed = mapping_of(content.get("decided"), "what was decided")
            if unknown := changed.keys() - DECIDED.keys():
                raise MalformedRecord(f"no stage is called {sorted(unknown)[0]}")
            self._decided |= {stage: canonical(value) for stage, value in changed.items()}
            if missing := DECIDED.keys() - self._decided.keys():
                raise MalformedRecord(f"nothing is told of the stage {sorted(missing)[0]}")
        else:
            raised = TEXT.decode(raised)
        cycle = RecordedCycle(
            inputs=inputs,
            before=self._state,
            before_text=self._state_text,
            decided=self._decided.copy(),
            raised=raised,
        )
        self._state, self._state_text = None, ""
        return cycle

    def _inputs(self, content: Mapping[str, Json]) -> Inputs:
        if "plan" in content:
            self._plan = MAYBE_PLAN.decode(content["plan"])
        anew = NAMES.decode(content.get("anew", []))
        image: dict[str, Mapping[Signal, Sample]] = {}
        for owner, changes in mapping_of(content.get("image"), "an image").items():
            before = {} if owner in anew else self._image.get(owner, {})
            image[owner] = {**before, **SAMPLES.decode(changes)} if changes else before
        self._image = image
        return Inputs(
            now_ns=WHOLE.decode(content.get("now_ns")),
            image=image,
            plan=self._plan,
            commands=COMMANDS.decode(content.get("commands", [])),
            utc_ns=MAYBE_WHOLE.decode(content.get("utc_ns")),
        )


def _unpacked(content: bytes) -> bytes:
    if len(content) > MAX_BYTES:
        raise MalformedRecord(f"is longer than {MAX_BYTES / 1e6:g} MB")
    try:
        with gzip.GzipFile(fileobj=BytesIO(content)) as file:
            unpacked = file.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise MalformedRecord(f"is no whole gzip file: {error}") from None
    if len(unpacked) > MAX_BYTES:
        raise MalformedRecord(f"unpacks to more than {MAX_BYTES / 1e6:g} MB")
    return unpacked


def _lines(content: bytes) -> Iterator[tuple[int, dict[str, Json]]]:
    for number, line in enumerate(content.splitlines(), 1):
        with _line(number):
            try:
                found = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise MalformedRecord(f"is no JSON: {shown(str(error), MAX_NAME)}") from None
            table = mapping_of(found, "a table")
        yield number, table


@contextmanager
def _line(number: int) -> Iterator[None]:
    """Names the line in what is wrong."""
    try:
        yield
    except (MalformedRecord, ValueError, RecursionError) as error:
        text = str(error)  # what is not finite has no text, nor what lies too deep
        raise MalformedRecord(
            text if text.startswith("line ") else f"line {number}: {text}"
        ) from None
