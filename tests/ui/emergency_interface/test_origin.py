"""Who made a browser send a request: the own page, somebody by hand, or a page of elsewhere."""

import pytest

from holdfast.ui.emergency_interface.exchange import PageRequest
from holdfast.ui.emergency_interface.origin import foreign_host, is_cross_site


def sent(**headers: str) -> PageRequest:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return PageRequest(method="POST", path="/estop", headers=named)


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "ems.local:9464", "referer": "http://evil.example/ems.local:9464"},
        {"origin": "null"},
        {"origin": "file://"},
        {"host": "ems.local", "origin": "http://ems.local.evil.example"},
        {"host": "ems.local:9464", "origin": "http://ems.local:9480"},
        {"host": "ems.local", "origin": "http://ems.local:99999"},
        {"host": "ems.local", "origin": "http://ems.local", "sec_fetch_site": "cross-site"},
    ],
)
def test_a_page_of_elsewhere_is_found_out(headers: dict[str, str]) -> None:
    assert is_cross_site(sent(**headers))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"host": "ems.local:9464", "referer": "http://ems.local:9464/?still"},
        {"host": "ems.local:9464", "origin": "http://EMS.local:9464"},
        # Somebody before us ends TLS, or listens at the usual port.
        {"host": "ems.local", "origin": "https://ems.local"},
        {"host": "ems.local:80", "origin": "http://ems.local"},
        {"host": "[fe80::1]:9464", "origin": "http://[fe80::1]:9464"},
        {"host": "ems.local", "sec_fetch_site": "none"},
    ],
)
def test_the_own_page_and_who_types_are_not(headers: dict[str, str]) -> None:
    assert not is_cross_site(sent(**headers))


def test_a_name_that_was_configured_is_known() -> None:
    request = sent(host="Ems.Example.com.:9464")
    assert foreign_host(request, {"ems.example.com"}) is None
    assert foreign_host(request, {"example.com"}) == "Ems.Example.com.:9464"
