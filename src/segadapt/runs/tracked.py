"""A run's trackers, open while its stages do their work, in the first process alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from segadapt.base.errors import SegadaptError
from segadapt.base.version import __version__
from segadapt.engine.fabric import Processes
from segadapt.runs.origins import Origin
from segadapt.stages.context import StageContext
from segadapt.tracking.tracked import Tracked


@contextmanager
def tracked_run(
    processes: Processes, context: StageContext, origins: Mapping[str, Origin]
) -> Iterator[Tracked]:
    """What follows the run; in all but the first process, nothing does.

    Raises:
        SegadaptError: a tracker cannot begin; every process raises it.
    """
    tracked = Tracked(context.track if processes.is_first else ())
    recipe = context.recipe
    settings = {**recipe.model_dump(mode="json"), "seed": context.seed, "version": __version__}
    fingerprints = {name: origin.fingerprint for name, origin in origins.items()}
    problem = None
    complete = False
    try:
        try:
            title = f"{recipe.name}-seed{context.seed}"
            tracked.open(context.directory, title, settings, fingerprints)
        except SegadaptError as error:
            problem = error
        problem = processes.gather(problem)[0]
        if problem is not None:
            raise problem
        yield tracked
        complete = True
    finally:
        tracked.close(complete)
