"""What site.yaml says of the API and hardly means."""

import pytest

from holdfast.core.config.api import Api, OwnCertificate
from holdfast.core.config.section import FilePath
from holdfast.site.api_doubts import api_doubts
from holdfast.site.doubts import doubts
from tests.builders import build_site

OWN = OwnCertificate(certificate=FilePath("c"), key=FilePath("k"))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.0.1.1"])
def test_who_listens_on_this_computer_alone_needs_no_tls(host: str) -> None:
    assert list(api_doubts(Api(host=host))) == []


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "energy.local", ""])
def test_who_lets_the_network_in_without_tls_is_asked_whether_he_means_it(host: str) -> None:
    (doubt,) = api_doubts(Api(host=host))
    assert "passwords pass readable; write tls: self_made" in doubt
    assert list(api_doubts(Api(host=host, tls="self_made"))) == []
    assert list(api_doubts(Api(host=host, tls=OWN))) == []
    assert list(api_doubts(Api(host=host, public_url="https://energy.example.org"))) == []


def test_a_proxy_without_tls_is_asked_about_as_well() -> None:
    (doubt,) = api_doubts(Api(public_url="http://energy.example.org"))
    assert "is not https" in doubt


def test_the_doubts_of_a_site_have_them() -> None:
    site = build_site().model_copy(update={"api": Api(host="0.0.0.0")})
    assert sum(doubt.startswith("api: 0.0.0.0") for doubt in doubts(site)) == 1
