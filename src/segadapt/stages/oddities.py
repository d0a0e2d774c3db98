"""What is odd about a run's data and no error: told before it begins, and in its report."""

from __future__ import annotations

from collections.abc import Sequence

from segadapt.data.proportions import header_sizes, squeezed
from segadapt.stages.context import StageContext
from segadapt.stages.images import opened_domains
from segadapt.stages.lineage import leaks


def oddities(context: StageContext, stages: Sequence[str]) -> list[str]:
    """Sentences about the data that stages read, in the order of the domains."""
    told: list[str] = []
    for name, labelled in opened_domains(context, stages).items():
        domain = context.domain(name, labelled)
        told += domain.warnings
        odd = squeezed(domain, header_sizes(domain))
        told += [odd] if odd is not None else []
    return told + leaks(context)
