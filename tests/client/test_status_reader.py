"""The status as other processes read it."""

import time
from dataclasses import replace
from pathlib import Path

from holdfast.client.status_reader import StatusReader
from holdfast.monitoring.status.codec import encode_status
from holdfast.site.shared_memory import RecordWriter
from tests.runtime.bench import LoopBench


async def test_status_from_before_the_computer_was_started_anew_is_none(tmp_path: Path) -> None:
    bench = LoopBench(tmp_path)
    reader = StatusReader(bench.files)
    assert reader.latest() is None
    await bench.cycle(1)
    found = reader.latest()
    assert found is not None
    assert 0.0 <= found[1] < 60.0
    status = replace(found[0], monotonic_ns=time.monotonic_ns() + 10**15)
    with RecordWriter(bench.files.status) as memory:
        memory.publish(encode_status(status))
        assert reader.latest() is None
        memory.publish(b"no status")
        assert reader.latest() is None
