"""What holds for every test of the targets."""

import logging
import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def without_log() -> Iterator[None]:
    """Each bad file is told of, and the tests of other things listen."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


RECURSION = 2500
"""CEL's evaluator sets it when it is first used; Hypothesis minds a change within a test."""
sys.setrecursionlimit(RECURSION)
