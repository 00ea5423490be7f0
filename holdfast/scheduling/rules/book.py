"""A rule book is a rule file that has been read and found right, for one site."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from pydantic import ValidationError

from holdfast.core.config import Site
from holdfast.core.errors import ConfigError
from holdfast.core.mistakes import in_words
from holdfast.core.strict_yaml import lines_of, parse_yaml
from holdfast.scheduling.rules.expression import RuleExpression
from holdfast.scheduling.rules.fact_table import FACTS, FactKind, FactRow, FactSource
from holdfast.scheduling.rules.rule_file import Rule, RuleFile


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedRule:
    """Holds a rule, and its conditions as they are calculated."""

    rule: Rule
    when: RuleExpression
    ends_when: RuleExpression | None

    @property
    def names(self) -> frozenset[str]:
        """Returns the names of all that it rests on."""
        return self.when.names | (frozenset() if self.ends_when is None else self.ends_when.names)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleBook:
    """Holds all rules of a site, in the order of the file."""

    rules: tuple[CheckedRule, ...] = ()
    signals: Mapping[str, FactKind]

    @property
    def rows(self) -> Mapping[str, FactRow]:
        """Returns the table of names that its rules may use."""
        return {**FACTS, **_signal_rows(self.signals)}

    def just(self, names: Collection[str]) -> "RuleBook":
        """Returns a book with these of its rules, each of them enabled."""
        rules = tuple(
            replace(checked, rule=checked.rule.model_copy(update={"enabled": True}))
            for checked in self.rules
            if checked.rule.name in names
        )
        return replace(self, rules=rules)

    @property
    def enabled(self) -> "RuleBook":
        """Returns a book with the rules that may fire."""
        rules = tuple(rule for rule in self.rules if rule.rule.enabled)
        return replace(self, rules=rules)


NO_RULES = RuleBook(signals={})


def read_rules(text: str, site: Site, source: str) -> RuleBook:
    """Reads the text of a rule file.

    Raises ConfigError whose text tells each mistake in a line: rule, place, and what would be
    right.
    """
    try:
        content = parse_yaml(text)
        if not isinstance(content, dict):
            raise ConfigError("has no rules; it begins with a line `rules:`")  # noqa: TRY301
        file = RuleFile.model_validate(content)
    except ConfigError as error:
        raise ConfigError(f"{source}: {error}") from error
    except ValidationError as error:
        raise ConfigError(in_words(error, source, text)) from error
    rows = {**FACTS, **_signal_rows(file.signals)}
    wrong: list[tuple[list[int | str], str]] = []
    checked = [*_checked(file, rows, site, wrong)]
    if wrong:
        line_of = lines_of(text)
        lines = [
            f"  line {line_of(keys)}: {file.rules[int(keys[1])].name}, {keys[-1]}: {mistake}"
            for keys, mistake in wrong
        ]
        raise ConfigError("\n".join([f"{source}: {len(wrong)} wrong:", *lines]))
    return RuleBook(rules=tuple(checked), signals=file.signals)


def _checked(
    file: RuleFile,
    rows: Mapping[str, FactRow],
    site: Site,
    wrong: list[tuple[list[int | str], str]],
) -> Iterator[CheckedRule]:
    """Yields the rules that are right, and adds to ``wrong`` what is not."""
    for index, rule in enumerate(file.rules):
        place: list[int | str] = ["rules", index]
        found: dict[str, RuleExpression | None] = {"ends_when": None}
        for key in ("when", "ends_when"):
            text = getattr(rule, key)
            try:
                found[key] = None if text is None else RuleExpression(text, rows)
            except ConfigError as error:
                wrong.append(([*place, key], str(error)))
        wrong += [([*place, "then", key], text) for key, text in _beyond(rule, site)]
        when = found.get("when")
        if when is not None:
            yield CheckedRule(rule=rule, when=when, ends_when=found["ends_when"])


def _beyond(rule: Rule, site: Site) -> Iterator[tuple[str, str]]:
    """Yields the powers that the site cannot do, with what it can."""
    grid = site.grid
    bounds = {
        "power_w": (-site.discharge_power_max_w, site.charge_power_max_w, "the site's units take"),
        "grid_target_w": (-grid.export_max_w, grid.import_max_w, "the grid connection permits"),
    }
    for key, (low_w, high_w, who) in bounds.items():
        asked_w = getattr(rule.then, key)
        if asked_w is not None and not low_w <= asked_w <= high_w:
            yield key, f"{asked_w:g} W: {who} {low_w:g} to {high_w:g} W"


def _signal_rows(signals: Mapping[str, FactKind]) -> dict[str, FactRow]:
    return {
        name: FactRow(
            name=name,
            kind=kind,
            unit="",
            meaning="as its sender says",
            source=FactSource.SIGNAL,
            low=-1000.0,
            high=1000.0,
        )
        for name, kind in signals.items()
    }
