"""A soak says what was wrong, and any day of it can be run again."""

from dataclasses import replace

from holdfast.testing.campaign.soak import SoakDay, run_day

LENGTH_S = 1200.0


def of_seed(seed: int, *, day: int = 0) -> SoakDay:
    """The beginning of a day with two faults, without what it took."""
    return replace(run_day(seed, day, 2, length_s=LENGTH_S), cpu_s=0.0)


def test_a_day_of_a_seed_is_always_the_same_and_another_one_is_not() -> None:
    day = of_seed(5)
    assert day == of_seed(5)
    assert day.incidents != of_seed(5, day=1).incidents


def test_a_day_with_faults_ends_without_damage_and_with_each_reaction() -> None:
    day = of_seed(3)
    assert [one.wrong for one in day.incidents] == [(), ()]
    assert day.false_trips == ()
    assert day.simulated_s >= LENGTH_S
    assert 0.0 < day.running_s < day.simulated_s
