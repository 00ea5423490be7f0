"""With a layer taken out the campaign fails, and says by what; with all of them it does not."""

import pytest

from holdfast.core.errors import ConfigError
from holdfast.testing.campaign.evidence import WITHOUT, layers_named, run_without
from holdfast.testing.campaign.pairs import BY_NAME
from holdfast.testing.faults.layers import LAYERS

FULL = "one cell is full, and the inverter charges on a little"
DAMAGES = [
    (("limit_monitor",), FULL, "cell_over_voltage"),
    (("limit_monitor", "battery_limits"), "frost", "cold_charge"),
    (("safety_wrapper",), "frost", "cold_charge"),
    (
        ("follow_up",),
        "one cell nearly full, BMS hangs, and the inverter keeps its power",
        "cell_over_voltage",
    ),
    (
        ("unseen_power",),
        "one cell nearly full, inverter and BMS silent, and the power goes on",
        "cell_over_voltage",
    ),
    (("relay_controller",), "cell too hot", "contactor_inrush"),
]


@pytest.mark.parametrize(("layers", "fault", "kind"), DAMAGES)
def test_without_a_layer_a_fault_damages_the_battery(
    layers: tuple[str, ...], fault: str, kind: str
) -> None:
    result = run_without(layers, [BY_NAME[fault]])
    assert kind in result.damage
    assert result.says == "damage"


@pytest.mark.parametrize(
    ("layer", "fault"),
    [
        ("data_age", "BMS silent: half"),
        ("read_back", "inverter acknowledges and does not store"),
        ("patterns", "BMS repeats its last set while the power grows"),
        ("trend_analyzer", "cell heats by 4 K/min"),
    ],
)
def test_without_another_layer_a_reaction_is_missed(layer: str, fault: str) -> None:
    assert run_without((layer,), [BY_NAME[fault]]).missed


def test_with_all_layers_nothing_is_missed() -> None:
    result = run_without((), [BY_NAME["frost"]])
    assert (result.damage, result.missed, result.outside) == ({}, (), ())
    assert result.says == "nothing: others stand for it"


def test_each_layer_is_taken_out_by_itself() -> None:
    assert {layers for layers in WITHOUT if len(layers) == 1} == {(name,) for name in LAYERS}


def test_a_layer_that_is_none_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ConfigError, match="limit_monitor"):
        layers_named(["limits"])
