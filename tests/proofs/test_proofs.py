"""The proofs that are quick, and code that is broken on purpose. ``make prove`` runs them all."""

import json
import math

import pytest
from pydantic import ValidationError

from holdfast.core.config import Operation
from holdfast.core.signals import Signal
from holdfast.safety.finding import Reaction
from proofs import __main__ as command
from proofs.canaries import CANARIES, Canary, broken, find
from proofs.obligations_arithmetic import TOO_HARD, prove_lemmas
from proofs.proof import prove

SLOW = (
    "ramp.",
    "bms.later",
    "grid.",
    "inverter.read_back",
    "battery_limits.good.good",
    "limit.inside_by",
)
QUICK = [name for name in command.PROOFS if not name.startswith(SLOW)]


@pytest.mark.parametrize("name", QUICK)
def test_a_quick_proof_holds(name):
    result = prove(command.PROOFS[name])
    assert result.proven, "\n".join(str(failure) for failure in result.failures)


@pytest.mark.parametrize("bits", [0, 8])
def test_the_rounding_lemmas_are_proven(bits):
    assert prove_lemmas(bits).failures == ()


def test_what_is_too_hard_in_a_format_is_proven_in_another():
    everything = prove_lemmas(8).claims
    assert prove_lemmas(8).discharged == everything
    assert not TOO_HARD.get(8)


def test_every_reaction_and_every_signal_has_its_proof():
    assert {f"finding.narrow.{reaction.name.lower()}" for reaction in Reaction} <= set(QUICK)
    assert {f"sample.{signal}" for signal in Signal} <= set(QUICK)


@pytest.mark.parametrize(
    "canary", [c for c in CANARIES if not c.proof.startswith(("ramp.rate", "bms."))], ids=str
)
def test_broken_code_is_found_with_a_counterexample_that_it_reproduces(canary):
    found = find(canary, command.PROOFS)
    assert found.found, found.by
    assert "replayed on the real code" in found.by


def test_every_kind_of_proof_has_a_canary():
    kinds = {name.partition(".")[0] for name in command.PROOFS}
    tried = {canary.proof.partition(".")[0] for canary in CANARIES}
    assert {kind for kind in kinds - tried if not kind.startswith("predicted_")} == {
        "isfinite",
        "isnan",
    }
    assert {canary.proof for canary in CANARIES} <= set(command.PROOFS)


def test_a_canary_that_does_not_fit_the_source_is_an_error():
    first = CANARIES[0]
    stale = Canary(proof=first.proof, of=first.of, name=first.name, old="no such code", new="")
    with pytest.raises(AssertionError, match="does not fit"), broken(stale):
        pass


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 0.0, -1.0])
def test_the_ramp_rate_that_the_proofs_assume_is_all_that_site_yaml_accepts(value):
    with pytest.raises(ValidationError):
        Operation(ramp_w_per_s=value)


def test_the_command_reports_what_it_proved(capsys):
    assert command.main(["--only", "envelope.c", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["proven"] is True
    names = {proof["name"] for proof in report["proofs"]}
    assert names == {"envelope.construct", "envelope.contains", "envelope.clamp"}
    assert all(proof["paths"] and proof["discharged"] for proof in report["proofs"])


def test_the_command_fails_where_nothing_is_proven(capsys):
    assert command.main(["--only", "no such proof"]) == 1
    assert "NOT PROVEN" in capsys.readouterr().out


def test_the_command_fails_on_broken_code(capsys):
    canary = next(c for c in CANARIES if c.proof == "envelope.clamp")
    with broken(canary):
        assert command.main(["--only", "envelope.clamp"]) == 1
    assert "replayed on the real code" in capsys.readouterr().out
