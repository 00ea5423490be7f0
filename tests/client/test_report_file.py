"""A report comes back as it was written, and no damage of it fills the memory."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.client import report_file
from holdfast.client.report_file import packed, read_packed


@given(st.binary(max_size=2000))
def test_it_comes_back_and_zcat_shows_it(content: bytes) -> None:
    assert gzip.decompress(packed(content)) == content
    assert packed(content) == packed(content)


def test_it_is_read_compressed_and_plain(tmp_path: Path) -> None:
    path = tmp_path / "report.json.gz"
    for content in (packed(b'{"a": 1}'), b'{"a": 1}'):
        path.write_bytes(content)
        assert read_packed(path) == b'{"a": 1}'


def test_a_torn_or_changed_one_is_refused_at_every_byte(tmp_path: Path) -> None:
    path = tmp_path / "report.json.gz"
    whole = packed(b'{"slots": [1, 2, 3]}' * 20)
    for length in range(2, len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="is damaged"):
            read_packed(path)


def test_one_that_would_fill_the_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_file, "MAX_BYTES", 10_000)
    path = tmp_path / "report.json.gz"
    path.write_bytes(packed(b" " * 10_001))
    with pytest.raises(ValueError, match="too large"):
        read_packed(path)
