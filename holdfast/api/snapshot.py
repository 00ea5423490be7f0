"""A snapshot is the controller's status with what a person sees in two seconds."""

import json
from dataclasses import asdict, dataclass

from holdfast.monitoring.glance import Glance, glance
from holdfast.monitoring.language import Language
from holdfast.monitoring.status.codec import encode_status
from holdfast.monitoring.status.schema import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSnapshot(Status):
    """Holds all that the controller tells, as the API serves it."""

    age_s: float
    glance: Glance


def snapshot_json(status: Status, age_s: float, language: Language) -> str:
    """Returns the status, its age in s, and the glance at it in ``language``, as JSON."""
    seen = json.dumps(asdict(glance(status, age_s, language)))
    content = encode_status(status).decode()
    return f'{content[:-1]},"age_s":{age_s:.3f},"glance":{seen}}}'
