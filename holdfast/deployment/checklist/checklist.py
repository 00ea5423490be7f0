"""The checklist is judged by the evidence, and nothing else: it is pure."""

from dataclasses import dataclass

from holdfast.deployment.checklist.evidence import Evidence
from holdfast.deployment.checklist.items import ITEMS, Item, Standing, not_yet
from holdfast.deployment.checklist.signatures import Signature
from holdfast.safety.goals import Authority


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Tells how one item stands."""

    item: Item
    standing: Standing
    told: str
    signature: Signature | None = None
    """Is the one that it rests on."""

    @property
    def is_open(self) -> bool:
        """Says whether it keeps the site from its stage."""
        return self.standing is Standing.OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Checklist:
    """Tells how all items stand."""

    judged: tuple[Judged, ...]

    def missing(self, stage: Authority) -> tuple[Judged, ...]:
        """Returns what keeps the site from ``stage``."""
        return tuple(one for one in self.judged if one.is_open and one.item.stage <= stage)

    @property
    def reaches(self) -> Authority:
        """Returns the highest authority that nothing keeps the site from."""
        return max(stage for stage in Authority if not self.missing(stage))


def judge(evidence: Evidence) -> Checklist:
    """Returns how each item stands."""
    return Checklist(judged=tuple(_judged(item, evidence) for item in ITEMS))


def _judged(item: Item, evidence: Evidence) -> Judged:
    why_not = item.not_needed(evidence)
    if why_not:
        return Judged(item=item, standing=Standing.NOT_NEEDED, told=why_not)
    signature = evidence.signed.get(item.key) if item.signed_by_people else None
    seen = not_yet("somebody has to look, and sign") if item.see is None else item.see(evidence)
    if seen.standing is not Standing.OPEN or signature is None:
        return Judged(item=item, standing=seen.standing, told=seen.told)
    return Judged(item=item, standing=Standing.DONE, told=signature.in_words, signature=signature)
