"""The bill of materials is whole, valid and the same each time."""

import json
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from release.closure import parts
from release.sbom import sbom

ROOT = Path(__file__).parents[2]
FILES = {"holdfast-0.1.0-py3-none-any.whl": "ab" * 32}


@pytest.fixture(scope="module")
def text() -> str:
    return sbom(ROOT, "0.1.0", 1_790_000_000, FILES)


@pytest.fixture(scope="module")
def told(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    return found


def test_it_is_valid(text: str) -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None


def test_it_is_the_same_each_time(text: str) -> None:
    assert sbom(ROOT, "0.1.0", 1_790_000_000, FILES) == text


def test_every_part_is_in_it_with_version_licence_and_address(told: dict[str, Any]) -> None:
    found = {component["bom-ref"]: component for component in told["components"]}
    for part in parts():
        component = found[f"pypi/{part.name}@{part.version}"]
        assert component["licenses"]
        assert component["purl"] == f"pkg:pypi/{part.name}@{part.version}"
        assert component["scope"] == ("optional" if part.extras else "required")
    scopes = {name.rpartition("@")[0]: component["scope"] for name, component in found.items()}
    assert scopes["npm/uplot"] == "required"
    assert scopes["npm/vite"] == "excluded"


def test_it_names_the_files_of_the_release_and_who_needs_what(told: dict[str, Any]) -> None:
    product = told["metadata"]["component"]
    assert product["properties"] == [
        {"name": f"holdfast:sha256:{name}", "value": digest} for name, digest in FILES.items()
    ]
    needs = {one["ref"]: one.get("dependsOn", []) for one in told["dependencies"]}
    roots = " ".join(needs["holdfast@0.1.0"])
    assert "pypi/pymodbus@" in roots
    assert "npm/preact@" in roots
    assert set(needs) == {"holdfast@0.1.0"} | {one["bom-ref"] for one in told["components"]}
