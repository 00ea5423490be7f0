"""Tests of the planted module; run by the campaign, not by pytest on its own."""

from mutants.planted import module


def test_within() -> None:
    """Both ends, and beyond them."""
    assert [module.is_within(value, 1, 3) for value in (0, 1, 2, 3, 4)] == [0, 1, 1, 1, 0]


def test_larger() -> None:
    """In both orders."""
    assert module.larger(1, 2) == module.larger(2, 1) == module.WANTED - 1


def test_neutral() -> None:
    """On both sides of the condition."""
    assert [module.neutral(value) for value in (-1.0, 0.0, 1.0)] == [-1.0, 0.0, 1.0]


def test_count_down() -> None:
    """It ends."""
    assert module.count_down(3) == 0


def test_careful() -> None:
    """It comes back."""
    module.careful()
