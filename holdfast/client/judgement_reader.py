"""This module reads who leads a site's battery, plans or self-consumption, and why."""

from datetime import datetime

from holdfast.core.config import Site
from holdfast.monitoring.judgement import Judgement, decode_judgement, is_judged
from holdfast.monitoring.plan_judge import WhoLeads
from holdfast.site.files import SiteFiles


def read_judgement(site: Site, files: SiteFiles, now: datetime) -> Judgement | None:
    """Returns what was found last; None if that is nothing that counts at ``now``, which is aware:
    there is no readable file, it is old or from the future, or it is of another site."""
    if not is_judged(site):
        return None
    try:
        judgement = decode_judgement(files.judgement.read_bytes())
    except (OSError, ValueError):
        return None
    return judgement if judgement.is_valid(site, now) else None


def rule_leads(site: Site, files: SiteFiles, now: datetime) -> str:
    """Returns why self-consumption leads in the place of plans; empty: it does not."""
    judgement = read_judgement(site, files, now)
    if judgement is None:
        return ""
    match judgement.leads:
        case WhoLeads.PLANS:
            return ""
        case WhoLeads.RULE:
            return judgement.why
