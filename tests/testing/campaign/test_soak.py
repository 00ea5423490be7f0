"""A soak says what was wrong, and any day of it can be run again."""

from dataclasses import replace

from holdfast.testing.campaign.soak import SoakDay, run_day

HOURS_S = 5400.0


def of_seed(seed: int, *without: str, day: int = 0) -> SoakDay:
    """A short day with three faults, without what it took."""
    return replace(run_day(seed, day, 3, without, HOURS_S), cpu_s=0.0)


def test_the_same_day_of_a_seed_is_the_same_and_another_one_is_not() -> None:
    assert of_seed(5) == of_seed(5)
    assert of_seed(5).incidents != of_seed(5, day=1).incidents


def test_a_day_with_faults_ends_without_damage_and_with_each_reaction() -> None:
    day = of_seed(3)
    assert len(day.incidents) == 3
    assert [one.wrong for one in day.incidents] == [(), (), ()]
    assert day.false_trips == ()
    assert day.simulated_s >= HOURS_S
    assert 0.0 < day.running_s < day.simulated_s
