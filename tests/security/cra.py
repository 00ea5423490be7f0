"""The EU's Cyber Resilience Act, Annex I: the product, and how its vulnerabilities are handled."""

from tests.security.requirement import Answer, rows

_MET, _PARTLY, _NO, _ELSEWHERE = Answer

# fmt: off
CRA = rows(
    ("I (1)", 1, "security that fits the risks", _PARTLY, "hazards, threats and checks are written down; no assessment by anybody else has been made", ("docs/hazards.md", "docs/proof.md")),
    ("I (2)(a)", 1, "no known vulnerability that can be exploited, at release", _PARTLY, "as GEC-1", (".ci/vulnerabilities",)),
    ("I (2)(b)", 1, "secure by default, and back to the original state", _MET, "it begins with no account and open to nobody else; `holdfast factory-reset`", ("core/config/test_api.py::test_without_it_nobody_comes_in_from_outside", "deployment/test_erasing.py::test_a_reset_leaves_what_is_latched_and_what_tells_of_hardware")),
    ("I (2)(c)", 1, "vulnerabilities are mended by updates, automatic ones with a way out", _PARTLY, "as SUM-1; nothing is looked for or installed without its owner", ("deployment/update/test_update.py::test_what_is_not_signed_now_by_who_is_trusted_is_refused", "deployment/update/test_update.py::test_a_release_that_is_not_well_is_left_and_not_tried_again",)),
    ("I (2)(d)", 1, "no access without leave, and it is told", _MET, "as CR 2.1 and CR 2.8", ("api/test_rights.py::test_who_lacks_the_right_is_refused_and_nobody_else", "api/auth/test_routes.py::test_who_may_not_is_told_what_it_takes_and_it_is_on_record")),
    ("I (2)(e)", 1, "data are confidential", _PARTLY, "as CR 4.1", ("api/test_secrets_hidden.py::test_no_secret_is_left",)),
    ("I (2)(f)", 1, "data, commands and programs keep their integrity, and damage is told", _PARTLY, "as CR 3.1 and CR 3.4", ("site/test_digest.py::test_any_edit_makes_it_another", "runtime/test_latch_file.py::test_any_changed_byte_is_corrupt_and_means_error")),
    ("I (2)(g)", 1, "no more data than needed", _MET, "nothing leaves the site but questions for prices and weather, with the place; each file is classified", ("site/test_file_kinds.py::test_each_file_of_a_site_is_classified_once",)),
    ("I (2)(h)", 1, "what is essential is there, also under a flood", _MET, "as CR 7.1", ("runtime/test_guests.py::test_one_who_floods_waits_and_nobody_else", "hil/test_process_faults.py::test_control_goes_on_without_planner_gateway_and_api_and_they_come_back")),
    ("I (2)(i)", 1, "others in the network are not harmed", _MET, "it asks rarely, backs off, and writes registers that wear out within a budget", ("devices/test_write_budget.py::test_beyond_the_budget_only_what_takes_power_away_is_written",)),
    ("I (2)(j)", 1, "few places to attack", _MET, "as GEC-2; a strict policy for the pages", ("ui/test_built.py::test_the_root_is_the_page_under_a_strict_policy", "api/test_guard.py::test_a_name_of_somebody_else_gets_no_answer")),
    ("I (2)(k)", 1, "an incident does little", _MET, "the safety path takes wishes and nothing else from planner, API and pages", (".importlinter", "runtime/test_admission.py::test_a_stranger_may_stop_and_nothing_else")),
    ("I (2)(l)", 1, "what matters for security is recorded and watched, and the owner may decline", _PARTLY, "the audit log; it cannot be switched off, for it is also the record of what happened to the battery", ("client/test_audit_category.py::test_all_eight_categories_occur",)),
    ("I (2)(m)", 1, "data and settings can be removed for good, and taken along safely", _MET, "`holdfast personal-data` and `holdfast factory-reset`", ("deployment/test_erasing.py::test_the_archive_has_all_about_persons_and_no_secret", "deployment/test_erasing.py::test_a_wipe_deletes_what_is_about_persons_and_nothing_else")),
    ("II (1)", 1, "vulnerabilities and parts are known: a bill of materials", _MET, "CycloneDX with each release", ("release/test_sbom.py::test_it_is_valid", "release/test_sbom.py::test_every_part_is_in_it_with_version_licence_and_address")),
    ("II (2)", 1, "they are mended without delay, security apart from features", _PARTLY, "promised with time limits; none has been reported yet", ("SECURITY.md",)),
    ("II (3)", 1, "tests and reviews, often", _MET, "CI runs all tests for each change, with fuzzing and mutants", (".ci/run", "docs/proof.md")),
    ("II (4)", 1, "what was mended is published", _PARTLY, "promised; CHANGELOG.md is where", ("SECURITY.md", "CHANGELOG.md")),
    ("II (5)", 1, "coordinated disclosure is a policy", _MET, "who reports, what he may expect", ("SECURITY.md",)),
    ("II (6)", 1, "there is a place to report to", _PARTLY, "the private reporting of wherever this repository is published; an address of whoever sells it has to be filled in", ("SECURITY.md",)),
    ("II (7)", 1, "updates reach owners safely", _MET, "as SUM-2", ("deployment/update/test_update.py::test_what_is_not_signed_now_by_who_is_trusted_is_refused", "deployment/release/test_release.py::test_a_release_is_built_of_wheels_signed_and_published",)),
    ("II (8)", 1, "updates are free, without delay, with words for users", _PARTLY, "Apache-2.0; words in CHANGELOG.md", ("CHANGELOG.md",)),
)
# fmt: on
