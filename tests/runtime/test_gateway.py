"""A gateway that cannot serve names the key of site.yaml, and what would be right."""

import socket
from pathlib import Path

import pytest

from holdfast.core.config import Site
from holdfast.core.errors import ConfigError
from holdfast.runtime.gateway import GatewayServer
from holdfast.site.files import SiteFiles
from tests.builders import build_site


def site_at(folder: Path, host: str, port: int) -> Site:
    return build_site(state_dir=str(folder), gateway={"host": host, "port": port})


def test_a_port_that_is_taken_is_named_with_its_key(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        site = site_at(tmp_path, "127.0.0.1", port)
        told = rf"^gateway\.port: {port} is taken on 127\.0\.0\.1, .* write another port"
        with pytest.raises(ConfigError, match=told):
            GatewayServer(site, SiteFiles.of(site))


def test_an_address_of_another_computer_is_named_with_its_key(tmp_path: Path) -> None:
    site = site_at(tmp_path, "192.0.2.1", 9464)
    told = r"^gateway\.host: 192\.0\.2\.1 is no address of this computer"
    with pytest.raises(ConfigError, match=told):
        GatewayServer(site, SiteFiles.of(site))
