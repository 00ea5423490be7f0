"""A computer with release 0.1.0; what takes long is made once and copied."""

from pathlib import Path

import pytest

from tests.deployment.update.world import World


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return World(tmp_path_factory.mktemp("installed")).make_installed()


@pytest.fixture
def world(short_path: Path, installed: Path) -> World:
    world = World(short_path)
    world.install(installed)
    return world
