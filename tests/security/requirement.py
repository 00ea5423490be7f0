"""What a row of the tables is made of: what is asked, what Holdfast answers, and what shows it."""

from dataclasses import dataclass
from enum import StrEnum


class Answer(StrEnum):
    """How far Holdfast is what is asked for."""

    MET = "met"
    PARTLY = "partly"
    NO = "no"
    ELSEWHERE = "not here"
    """It is asked of somebody else: the computer, its owner, or another kind of product."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One requirement, in our words."""

    id: str
    asks: str
    level: int = 1
    """The security level of IEC 62443 from which it counts; 1 for all else."""
    answer: Answer
    how: str
    """How it is met, or what is missing, or of whom it is asked."""
    evidence: tuple[str, ...] = ()
    """Tests below ``tests/`` as ``path::name``, or files of the repository."""


Row = tuple[str, int, str, Answer, str, tuple[str, ...]]


def rows(*cells: Row) -> tuple[Requirement, ...]:
    """The cells of a table as requirements."""
    return tuple(
        Requirement(id=name, level=level, asks=asks, answer=answer, how=how, evidence=evidence)
        for name, level, asks, answer, how, evidence in cells
    )
