"""The safety path: which modules are on it, as ``[tool.holdfast]`` of pyproject.toml says."""

import tomllib

from mutants.site import ROOT

_NAMED = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["holdfast"]
PACKAGES: tuple[str, ...] = tuple(_NAMED["safety_path"])
NOT_ON_IT: tuple[str, ...] = tuple(_NAMED["not_on_it"])
READS_FILES: tuple[str, ...] = tuple(_NAMED["reads_files"])


def modules() -> tuple[str, ...]:
    """Every module of the safety path that holds more than names."""
    found = modules_of(PACKAGES)
    return tuple(module for module in found if not is_below(module, NOT_ON_IT))


def pure_modules() -> tuple[str, ...]:
    """Those of them that do no I/O and read no clock."""
    return tuple(module for module in modules() if not is_below(module, READS_FILES))


def modules_of(packages: tuple[str, ...]) -> tuple[str, ...]:
    """All modules of these packages; a module is its own."""
    everything = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in sorted((ROOT / "holdfast").rglob("*.py"))
        if path.name != "__init__.py"
    ]
    return tuple(m for package in packages for m in everything if is_below(m, (package,)))


def is_below(module: str, names: tuple[str, ...]) -> bool:
    """True if ``module`` is one of ``names``, or in one of them."""
    return any(f"{module}.".startswith(f"{name}.") for name in names)
