"""The outline of the status, which a supervisor reads without a model of all of it."""

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.client.status_outline import OutlineReader, outline_of
from holdfast.client.status_reader import StatusReader
from holdfast.core.signals import SITE, Signal
from holdfast.core.state_machine import State
from holdfast.monitoring.quantities.quantity import QuantityName
from holdfast.monitoring.status.codec import encode_status
from holdfast.site.shared_memory import RecordWriter
from tests.builders import Bench
from tests.monitoring.explain.test_text import status_of
from tests.runtime.bench import LoopBench


def test_it_says_what_the_whole_status_says() -> None:
    bench = Bench()
    bench.start()
    bench.run(3.0)
    status = status_of(bench)
    outline = outline_of(encode_status(status))
    ((unit, layers),) = status.quantities_of(QuantityName.BATTERY_POWER).items()
    assert outline.state is status.state is State.RUNNING
    assert outline.request_w == status.request_w
    assert outline.grid_w == status.value(SITE, Signal.GRID_POWER_W)
    assert outline.comms == status.comms
    assert outline.first is not None
    assert (outline.first.name, outline.first.written_w) == (unit, layers.written)
    assert outline.first.soc_pct == status.value(unit, Signal.SOC_PCT)


@pytest.mark.parametrize("content", [b"no status", b"[]", b"{}", b'{"plan": null}', b"null"])
def test_what_is_no_status_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"status|Expecting"):
        outline_of(content)


async def test_it_is_fresh_only_while_its_controller_publishes(tmp_path: Path) -> None:
    bench = LoopBench(tmp_path)
    reader = OutlineReader(bench.files)
    assert reader.fresh() is None
    await bench.cycle(1)
    found = reader.fresh(60.0)
    assert found is not None
    assert reader.fresh(60.0) is found  # nothing was told since
    assert reader.fresh(0.0) is None
    whole = StatusReader(bench.files).latest()
    assert whole is not None
    status = whole[0]
    with RecordWriter(bench.files.status) as memory:
        memory.publish(encode_status(replace(status, monotonic_ns=time.monotonic_ns() + 10**15)))
        assert reader.fresh(60.0) is None
        memory.publish(b"no status")
        assert reader.fresh(60.0) is None


def test_a_supervisor_loads_no_model_of_a_site() -> None:
    heavy = "{'pydantic', 'rich', 'asyncio', 'numpy', 'holdfast.core.config'} & sys.modules.keys()"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys, holdfast.cli.run; print({heavy})"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "set()"
