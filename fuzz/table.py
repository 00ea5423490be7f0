"""The table of all targets."""

from collections.abc import Mapping
from itertools import chain

from fuzz import (
    accounts,
    client_messages,
    documents,
    frames,
    lines,
    market_answers,
    others_data,
    registers,
    rules,
    state_files,
    tables,
)
from fuzz.target import Target

_MODULES = (
    registers,
    lines,
    frames,
    documents,
    tables,
    state_files,
    accounts,
    client_messages,
    market_answers,
    others_data,
    rules,
)
TARGETS: Mapping[str, Target] = {
    target.name: target for target in chain.from_iterable(module.TARGETS for module in _MODULES)
}
"""By name."""

assert len(TARGETS) == sum(len(module.TARGETS) for module in _MODULES), "names are unique"
