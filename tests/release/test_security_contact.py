"""No release goes out that does not say where to report a vulnerability."""

import pytest

from release.builds import CannotRelease
from release.security_contact import security_txt


@pytest.mark.parametrize(
    "contact", ["mailto:security@example.org", "https://example.org/report", "tel:+49-30-1234567"]
)
def test_it_has_what_rfc_9116_demands(contact: str) -> None:
    lines = security_txt(contact, 1_790_000_000).splitlines()
    assert lines[0] == f"Contact: {contact}"
    assert lines[1].startswith("Expires: 2027-")


@pytest.mark.parametrize("contact", ["", "security@example.org", "mailto:", "http://a.org", "TODO"])
def test_a_place_holder_is_refused(contact: str) -> None:
    with pytest.raises(CannotRelease, match=r"mailto:security@YOUR\.DOMAIN"):
        security_txt(contact, 1_790_000_000)
