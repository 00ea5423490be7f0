"""The limits of a site for programs: a row a limit."""

from holdfast.core.config import Site
from holdfast.safety.limits import Limit, build_limits
from holdfast.site.assurance import unwatched


def limit_rows(site: Site) -> list[dict[str, object]]:
    """Returns every limit of ``site``, as ``holdfast limits --json`` prints it."""
    idle = unwatched(site)
    return [_row(limit) | {"watched": limit.key not in idle} for limit in build_limits(site)]


def _row(limit: Limit) -> dict[str, object]:
    return {
        "owner": limit.owner,
        "row": limit.row.id,
        "signal": limit.row.signal,
        "unit": limit.unit,
        "levels": {level.name.lower(): value for level, value in limit.levels},
        "one_sample": limit.far,
        "hysteresis": limit.hysteresis,
        "reaction": limit.row.reaction.name.lower(),
        "samples": limit.row.samples,
        "hold_s": limit.row.hold_s,
        "clearing": limit.row.clearing,
        "source": limit.row.source,
    }
