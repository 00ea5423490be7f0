"""Where a release comes from: an in-toto statement with SLSA's provenance, version 1."""

import json
import platform
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from release.builds import sha256

_LOCKS = ("requirements.txt", "pages/package-lock.json", "pyproject.toml")
_BUILT_BY = ("build", "setuptools")


def provenance(
    root: Path,
    commit: str,
    epoch_s: int,
    files: dict[str, str],
    *,
    builder: str,
    times: tuple[datetime, datetime],
    node: str,
) -> str:
    """Returns the statement about ``files``, which are SHA-256 by name.

    ``builder`` is the URI of who built; ``times`` are when he began and ended.
    """
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [
            {"name": name, "digest": {"sha256": digest}} for name, digest in sorted(files.items())
        ],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "urn:holdfast:make-release:v1",
                "externalParameters": {"commit": commit, "sourceDateEpoch": epoch_s},
                "internalParameters": {
                    "python": platform.python_version(),
                    "machine": platform.machine(),
                    "node": node,
                    **{name: version(name) for name in _BUILT_BY},
                },
                "resolvedDependencies": [
                    {"name": "source", "digest": {"gitCommit": commit}},
                    *({"name": name, "digest": {"sha256": sha256(root / name)}} for name in _LOCKS),
                ],
            },
            "runDetails": {
                "builder": {"id": builder},
                "metadata": {
                    "invocationId": f"urn:holdfast:release:{commit}:{times[0].timestamp():.0f}",
                    "startedOn": _time(times[0]),
                    "finishedOn": _time(times[1]),
                },
            },
        },
    }
    return json.dumps(statement, indent=2) + "\n"


def _time(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"
