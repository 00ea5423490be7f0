"""The digest of a site: equal for the same configuration, another for any other."""

import pytest

from holdfast.devices import profile
from holdfast.site import digest
from holdfast.site.digest import site_digest
from tests.builders import build_site


def test_it_is_equal_for_equal_sites_and_fits_a_beat() -> None:
    assert site_digest(build_site()) == site_digest(build_site())
    assert 0 < site_digest(build_site()) < 2**64


def test_any_edit_makes_it_another() -> None:
    sites = [build_site(), build_site(name="edited"), build_site(cycle={"period_ms": 21})]
    assert len({site_digest(site) for site in sites}) == len(sites)


def test_another_table_of_a_device_or_another_release_makes_it_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = site_digest(build_site())
    with monkeypatch.context() as patch:
        patch.setattr(digest, "__version__", "another")
        assert site_digest(build_site()) != before
    meter = profile.load_profile("generic_meter")
    other = meter.model_copy(update={"name": "edited"})
    monkeypatch.setattr(
        digest,
        "load_profile",
        lambda name: other if name == meter.name else profile.load_profile(name),
    )
    assert site_digest(build_site()) != before
