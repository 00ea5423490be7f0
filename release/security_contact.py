"""Each release says where a vulnerability is reported, as RFC 9116 has it: ``security.txt``."""

import re
from datetime import UTC, datetime, timedelta

from release.builds import CannotRelease

NAME = "security.txt"
_CONTACT = re.compile(r"mailto:[^@\s]+@[^@\s]+\.[^@\s]+|https://[^\s/]+\.[^\s]+|tel:\+[0-9-]+")
_COUNTS_FOR = timedelta(days=365)


def security_txt(contact: str, epoch_s: int) -> str:
    """Returns the file: ``contact`` is a URI. Raises CannotRelease for what is none."""
    if _CONTACT.fullmatch(contact) is None:
        raise CannotRelease(
            f"--security-contact {contact}: where shall who finds a vulnerability report it? Such "
            "as mailto:security@YOUR.DOMAIN, or https://YOUR.PLACE/report"
        )
    expires = datetime.fromtimestamp(epoch_s, UTC) + _COUNTS_FOR
    return (
        f"Contact: {contact}\nExpires: {expires:%Y-%m-%dT%H:%M:%SZ}\nPreferred-Languages: en, de\n"
    )
