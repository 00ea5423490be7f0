"""Releases as who publishes them makes them: keys apart, two of the root, a plain folder."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from holdfast.deployment.release.__main__ import main
from holdfast.deployment.release.bundle import read_facts, write_bundle
from holdfast.deployment.release.facts import ReleaseError
from holdfast.deployment.release.repository import publish, published
from tests.deployment.update.world import facts, wheel


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    assert main(["keys", str(tmp_path / "keys")]) == 0
    return tmp_path / "keys"


@pytest.fixture
def repository(tmp_path: Path, keys: Path) -> Path:
    into = ["--into", str(tmp_path / "repository")]
    assert main(["root", "--keys", str(keys), *into]) == 0
    for name in ("root-1", "root-2"):
        assert main(["sign", str(keys / f"{name}.pem"), *into]) == 0
    return tmp_path / "repository"


def bundle(folder: Path, version: str, **changes: object) -> Path:
    made = wheel(folder / "wheels" / version, "holdfast", version, {"holdfast/__init__.py": ""})
    return write_bundle(facts(version, **changes), [made], folder / "dist")


def test_a_release_is_built_of_wheels_signed_and_published(
    tmp_path: Path, keys: Path, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wheels = tmp_path / "wheels"
    wheel(wheels, "holdfast", "0.2.0", {"holdfast/__init__.py": ""})
    sbom = tmp_path / "holdfast.cdx.json"
    sbom.write_text("{}")
    words = ["--wheels", str(wheels), "--version", "0.2.0", "--sbom", str(sbom)]
    assert main(["build", *words, "--into", str(tmp_path / "dist")]) == 0
    (made,) = (tmp_path / "dist").iterdir()
    assert read_facts(made).version == "0.2.0"
    there = ["--keys", str(keys), "--into", str(repository)]
    assert main(["publish", str(made), *there]) == 0
    assert main(["publish", *there]) == 0  # it still holds
    assert capsys.readouterr().out.splitlines()[-1] == made.name
    assert list(published(repository)) == [made.name]


def test_keys_are_for_their_owner_only_and_never_made_over_others(keys: Path) -> None:
    assert {path.stat().st_mode & 0o777 for path in keys.iterdir()} == {0o600}
    assert main(["keys", str(keys)]) == 2


def test_one_key_of_the_root_is_not_enough(tmp_path: Path, keys: Path) -> None:
    into = ["--into", str(tmp_path / "repository")]
    assert main(["root", "--keys", str(keys), *into]) == 0
    assert main(["sign", str(keys / "root-1.pem"), *into]) == 0
    assert main(["sign", str(keys / "targets.pem"), *into]) == 0
    assert main(["sign", str(keys / "root-1.pem"), *into]) == 0
    assert not list((tmp_path / "repository" / "metadata").iterdir())
    assert main(["publish", "--keys", str(keys), *into]) == 2


def test_a_release_from_which_nobody_could_go_back_is_not_published(
    tmp_path: Path, keys: Path, repository: Path
) -> None:
    now = datetime.now(UTC)
    publish([bundle(tmp_path, "0.2.0")], keys, repository, now)
    no_way = bundle(tmp_path, "0.3.0", history_layout=2, history_since=2)
    with pytest.raises(ReleaseError, match="no way back"):
        publish([no_way], keys, repository, now)
    added_to = bundle(tmp_path, "0.4.0", history_layout=2, history_since=1)
    assert len(publish([added_to], keys, repository, now)) == 2


def test_wheels_that_are_no_release_are_refused(tmp_path: Path) -> None:
    own = wheel(tmp_path / "w", "holdfast", "0.2.0", {})
    with pytest.raises(ReleaseError, match=r"no wheel of holdfast 0.3.0"):
        write_bundle(facts("0.3.0"), [own], tmp_path)
    with pytest.raises(ReleaseError, match="two wheels of the same"):
        write_bundle(
            facts("0.2.0"), [own, wheel(tmp_path / "v", "holdfast", "0.1.0", {})], tmp_path
        )
    with pytest.raises(ReleaseError, match="is no release"):
        read_facts(own)
