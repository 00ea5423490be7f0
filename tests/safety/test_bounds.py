"""What a site is rated for, of which levels of its limits are shares."""

from holdfast.safety.bounds import rated_power, site_power
from tests.builders import build_site, unit_content


def test_a_site_has_the_power_of_all_its_units_each_in_its_stronger_direction():
    charger = unit_content("charger")
    charger["inverter_hardware"] |= {"charge_power_max_w": 3000, "discharge_power_max_w": 1000}
    drain = unit_content("drain")
    drain["inverter_hardware"] |= {"charge_power_max_w": 2000, "discharge_power_max_w": 4000}
    site = build_site(charger, drain)
    assert [rated_power(unit) for unit in site.storage] == [3000.0, 4000.0]
    assert site_power(site) == 7000.0
