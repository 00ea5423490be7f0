"""What holds for every test of plans."""

import pytest

from holdfast.optimization import site_model


@pytest.fixture(autouse=True)
def patient_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy computer makes no plan worse: the search may take as long as it needs."""
    monkeypatch.setitem(site_model._OPTIONS, "time_limit", 300.0)
