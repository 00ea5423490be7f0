"""Models on disk: a damaged one is skipped, old ones go, the last can be taken back."""

from pathlib import Path

import numpy as np
import pytest

from holdfast.forecasting.array_file import ArrayFile
from holdfast.forecasting.registry import KEPT, ModelRegistry, RegistryError
from holdfast.site.files import write_atomically


def content(number: int) -> ArrayFile:
    return ArrayFile(about={"number": number}, arrays={"a": np.arange(number)})


def numbers(registry: ModelRegistry, kind: str = "load") -> list[int]:
    return [version.content.about["number"] for version in registry.versions(kind)]


def test_the_newest_comes_first_and_few_are_kept(tmp_path: Path) -> None:
    registry = ModelRegistry(tmp_path / "models", write_atomically)
    assert numbers(registry) == []
    for number in range(KEPT + 3):
        registry.release("load", content(number))
    registry.release("price", content(99))
    assert numbers(registry) == list(range(KEPT + 2, 2, -1))
    assert numbers(registry, "price") == [99]
    assert numbers(ModelRegistry(tmp_path / "models", write_atomically)) == numbers(registry)


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "pickle"])
def test_a_corrupt_model_is_skipped_and_the_one_before_is_used(tmp_path: Path, damage: str) -> None:
    registry = ModelRegistry(tmp_path, write_atomically)
    registry.release("load", content(1))
    registry.release("load", content(2))
    path = max(tmp_path.iterdir())
    whole = bytearray(path.read_bytes())
    if damage == "cut":
        del whole[-20:]
    elif damage == "flip":
        whole[-20] ^= 4
    elif damage == "empty":
        whole.clear()
    else:
        whole[:] = ArrayFile(about={}, arrays={"a": np.arange(2)}).to_bytes()
        whole[:] = whole.replace(b"holdfast packed 1", b"holdfast packed 9")
    path.write_bytes(whole)
    assert numbers(registry) == [1]
    assert registry.release("load", content(3)).number == 3


def test_arrays_of_objects_are_never_loaded() -> None:
    evil = ArrayFile(about={}, arrays={"a": np.array([{"x": 1}], dtype=object)}).to_bytes()
    with pytest.raises(ValueError, match="allow_pickle"):
        ArrayFile.from_bytes(evil)


def test_a_version_taken_back_is_gone(tmp_path: Path) -> None:
    registry = ModelRegistry(tmp_path, write_atomically)
    registry.release("load", content(1))
    registry.withdraw(registry.release("load", content(2)))
    assert numbers(registry) == [1]


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    def full(path: Path, written: bytes) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(RegistryError, match="No space"):
        ModelRegistry(tmp_path, full).release("load", content(1))
