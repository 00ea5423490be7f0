"""What the status and the metrics tell of the audit log."""

from dataclasses import replace
from pathlib import Path

from holdfast.monitoring.status.codec import decode_status, encode_status
from holdfast.monitoring.status.schema import AuditStatus
from tests.monitoring.test_metrics import scrape, status_of, value
from tests.runtime.bench import LoopBench


async def test_lines_and_losses_are_counted_in_the_metrics(tmp_path: Path) -> None:
    bench = LoopBench(tmp_path)
    await bench.to_idle()
    status = await status_of(bench)
    assert status.audit is None  # this loop has no audit trail
    audit = AuditStatus(lines=12, lost=3, problem="No space left on device")
    status = decode_status(encode_status(replace(status, audit=audit)))
    assert status.audit == audit
    families, samples = scrape(status)
    assert families["holdfast_audit_lines"]
    assert value(samples, "holdfast_audit_lines_total") == 12
    assert value(samples, "holdfast_audit_lost_total") == 3
