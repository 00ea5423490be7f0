"""A digest tells one configuration from another: what site.yaml says, and the tables it names.

Controller and watchdog prove with it to each other that they run the same.
"""

import hashlib

from holdfast import __version__
from holdfast.core.config import Site
from holdfast.devices.profile import load_profile
from holdfast.site.devices import devices

_BYTES = 8


def site_digest(site: Site) -> int:
    """Returns the digest of a site that has been checked; never 0, which stands for none."""
    digest = hashlib.sha256(f"{__version__}\n{site.model_dump_json()}".encode())
    for profile in sorted({device.profile for _, device in devices(site).values()}):
        digest.update(f"\n{load_profile(profile)!r}".encode())
    return int.from_bytes(digest.digest()[:_BYTES], "little") or 1
