"""The build backend: setuptools, with the pages built before it collects files (PEP 517, PEP 660).

Node comes from the PATH; where it is not there, a wheel brings it.
"""

import platform
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pages_build
from setuptools import build_meta
from setuptools.build_meta import (
    get_requires_for_build_sdist as get_requires_for_build_sdist,
)
from setuptools.build_meta import (
    prepare_metadata_for_build_editable as prepare_metadata_for_build_editable,
)
from setuptools.build_meta import (
    prepare_metadata_for_build_wheel as prepare_metadata_for_build_wheel,
)

Settings = Mapping[str, Any] | None
_WITH_NODE_WHEEL = frozenset({"x86_64", "amd64", "aarch64", "arm64"})
"""Other processors find no wheel, and would fail for want of it; they do without the pages."""


def _node_requirement() -> list[str]:
    if pages_build.is_current() or pages_build.node_on_path() is not None:
        return []
    has_wheel = platform.machine().lower() in _WITH_NODE_WHEEL and not _is_musl()
    return [pages_build.NODE_WHEEL] if has_wheel else []


def _is_musl() -> bool:
    return sys.platform == "linux" and platform.libc_ver()[0] != "glibc"


def get_requires_for_build_wheel(config_settings: Settings = None) -> list[str]:
    """Returns what has to be there to build a wheel."""
    return [*build_meta.get_requires_for_build_wheel(config_settings), *_node_requirement()]


def get_requires_for_build_editable(config_settings: Settings = None) -> list[str]:
    """Returns what has to be there to install from this folder."""
    return [*build_meta.get_requires_for_build_editable(config_settings), *_node_requirement()]


def build_wheel(
    wheel_directory: str,
    config_settings: Settings = None,
    metadata_directory: str | None = None,
) -> str:
    """Builds the pages, and a wheel with them."""
    pages_build.build()
    # What an earlier build left there would go into this wheel.
    shutil.rmtree(Path("build") / "lib" / "holdfast" / "ui" / "static", ignore_errors=True)
    return build_meta.build_wheel(wheel_directory, config_settings, metadata_directory)


def build_editable(
    wheel_directory: str,
    config_settings: Settings = None,
    metadata_directory: str | None = None,
) -> str:
    """Builds the pages, and lets Python find this folder."""
    pages_build.build()
    return build_meta.build_editable(wheel_directory, config_settings, metadata_directory)


def build_sdist(sdist_directory: str, config_settings: Settings = None) -> str:
    """Makes the source distribution, with the pages if they are built: it needs no Node then."""
    return build_meta.build_sdist(sdist_directory, config_settings)
