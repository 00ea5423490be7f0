"""The bill of materials of a release, as CycloneDX 1.6: what is installed, what is in the pages."""

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from release.closure import PRODUCT, Part, parts, roots
from release.licences import licence_of
from release.npm_parts import NpmPart, npm_parts

_LICENCE = LicenseFactory()


def sbom(root: Path, version: str, epoch_s: int, files: dict[str, str]) -> str:
    """Returns the document, the same for the same environment; ``files`` are SHA-256 by name."""
    product = _product(version, files)
    python = {part.name: _python(part) for part in parts()}
    npm = {part.name: _npm(part) for part in npm_parts(root)}
    bom = Bom(components=[*python.values(), *npm.values()])
    bom.metadata.component = product
    bom.metadata.timestamp = datetime.fromtimestamp(epoch_s, UTC)
    bom.serial_number = uuid.uuid5(
        uuid.NAMESPACE_URL, f"{PRODUCT} {version} {sorted(files.items())}"
    )
    shipped = [npm[part.name] for part in npm_parts(root) if part.in_pages]
    bom.register_dependency(product, [*(python[name] for name in roots()), *shipped])
    _register(bom, python, parts())
    _register(bom, npm, npm_parts(root))
    return JsonV1Dot6(bom).output_as_string(indent=2) + "\n"


def _register(bom: Bom, components: dict[str, Component], found: Iterable[Part | NpmPart]) -> None:
    for part in found:
        needs = [components[name] for name in part.needs if name in components]
        bom.register_dependency(components[part.name], needs)


def _product(version: str, files: dict[str, str]) -> Component:
    return Component(
        name=PRODUCT,
        version=version,
        type=ComponentType.APPLICATION,
        bom_ref=f"{PRODUCT}@{version}",
        purl=PackageURL("pypi", name=PRODUCT, version=version),
        licenses=[_LICENCE.make_from_string("Apache-2.0")],
        properties=[
            Property(name=f"{PRODUCT}:sha256:{name}", value=digest)
            for name, digest in sorted(files.items())
        ],
    )


def _python(part: Part) -> Component:
    return Component(
        name=part.name,
        version=part.version,
        type=ComponentType.LIBRARY,
        bom_ref=f"pypi/{part.name}@{part.version}",
        purl=PackageURL("pypi", name=part.name, version=part.version),
        licenses=[_LICENCE.make_from_string(licence_of(part.name))],
        scope=ComponentScope.OPTIONAL if part.extras else ComponentScope.REQUIRED,
    )


def _npm(part: NpmPart) -> Component:
    group, _, name = part.name.rpartition("/")
    return Component(
        group=group or None,
        name=name,
        version=part.version,
        type=ComponentType.LIBRARY,
        bom_ref=f"npm/{part.name}@{part.version}",
        purl=PackageURL("npm", namespace=group or None, name=name, version=part.version),
        licenses=[_LICENCE.make_from_string(part.licence)],
        hashes=[HashType(alg=HashAlgorithm.SHA_512, content=part.sha512_hex)],
        scope=ComponentScope.REQUIRED if part.in_pages else ComponentScope.EXCLUDED,
    )
