"""The ``train`` stage: one method, a source and a target or several, one checkpoint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from segadapt.artefacts import (
    CHECKPOINT_FILE,
    TEACHER_FILE,
    TEACHER_SNAPSHOTS_FOLDER,
    snapshot_file,
)
from segadapt.base.batch import LabelledBatch, UnlabelledBatch
from segadapt.data.mixture import Mixture, mixture
from segadapt.engine.fabric import Processes
from segadapt.engine.log import TrainingLog
from segadapt.engine.loop import SourceBatch, TrainingStep, evenly_spaced, train
from segadapt.engine.optim import adam, model_optimizer, poly_factor, warm_up_factor
from segadapt.engine.sharding import autocast_of_shared
from segadapt.engine.state import STATE_FILE, TrainingState
from segadapt.methods.base import Method
from segadapt.models.build import build_segmenter, load_starting_weights
from segadapt.models.files.checkpoints import TrainedModel, load_checkpoint, save_checkpoint
from segadapt.models.recomputed import recompute_blocks
from segadapt.models.segmenter import Segmenter
from segadapt.stages.context import Work
from segadapt.stages.lineage import is_oracle
from segadapt.stages.train.batches import save_drawn_classes, training_pairs
from segadapt.stages.train.config import TrainStage
from segadapt.stages.train.examples import save_examples
from segadapt.stages.train.method import build_method
from segadapt.stages.train.shared import shard_all, undivided
from segadapt.stages.train.validation import Validation


def run(stage: TrainStage, work: Work) -> dict[str, Any]:
    """Train and leave ``checkpoint.safetensors``; returns numbers for the manifest."""
    source = _mixed(work, stage.sources, labelled=True)
    # The target's labels are out of reach from here on, whether they exist or not.
    target = _mixed(work, stage.targets, labelled=False) if stage.targets else None
    # A run killed after it removed the state needs nothing but its manifest.
    state, checkpoint = work.directory / STATE_FILE, work.directory / CHECKPOINT_FILE
    if state.is_file() or not checkpoint.is_file():
        _train(stage, work, source, target)
    return {"source_images": len(source), "target_images": len(target) if target else 0}


def _mixed(work: Work, parts: Mapping[str, float], labelled: bool) -> Mixture:
    opened = [(work.context.domain(name, labelled), weight) for name, weight in parts.items()]
    return mixture(opened)


def _train(stage: TrainStage, work: Work, source: Mixture, target: Mixture | None) -> None:
    context, processes, directory = work.context, work.processes, work.directory
    torch.manual_seed(work.seed)
    prior = None
    if stage.class_prior is not None:
        prior = context.class_prior(stage.class_prior).shares
    method = build_method(stage, source.classes, processes, prior, work.seed)
    model = build_segmenter(stage.model, len(source.classes.names))
    oracle = is_oracle(context, work.name)
    if stage.start_from is not None:
        start = load_checkpoint(context.checkpoint(stage.start_from))
        model.load_state_dict(start.model.state_dict())
        oracle |= start.oracle
    else:
        load_starting_weights(model, stage.model, context.data_root)
    if stage.checkpoint_activations:
        recompute_blocks(model.trunk)
    method.begin(model)
    if stage.shard:
        shard_all(model, method, processes)
    step = _training_step(stage, method, model, processes)
    state = TrainingState(directory / STATE_FILE, step.nets, step.optimizers, method, processes)

    def batches(start: int) -> Iterator[tuple[SourceBatch, UnlabelledBatch | None]]:
        return training_pairs(stage, work, source, target, start)

    # Processes draw their own dropout: alike, they would leave out the same of every part.
    torch.manual_seed(work.seed + processes.rank)
    log = TrainingLog(directory, work.name, processes.is_first, work.logged)
    trained = TrainedModel(model, stage.model, source.classes, source.size, oracle)

    def write(path: Path, whole: TrainedModel | None) -> None:
        if processes.is_first and whole is not None:
            path.parent.mkdir(exist_ok=True)
            save_checkpoint(path, whole)

    def teacher() -> TrainedModel | None:
        averaged = method.averaged
        if averaged is None:
            return None
        assert isinstance(averaged, Segmenter)
        return undivided(replace(trained, model=averaged))

    snapshots = frozenset(evenly_spaced(stage.snapshots, stage.iterations))
    validated: frozenset[int] = frozenset()
    validation = None
    if stage.validation is not None:
        validation = Validation(stage.validation, work, stage.workers)
        every = stage.validation.every
        validated = frozenset((*range(every, stage.iterations, every), stage.iterations))

    def keep(iteration: int) -> None:
        if iteration in snapshots:
            write(snapshot_file(directory, iteration), undivided(trained))
            write(snapshot_file(directory, iteration, TEACHER_SNAPSHOTS_FOLDER), teacher())
        if validation is not None and iteration in validated:
            validation.at(iteration, undivided(trained))

    train(
        step,
        state,
        batches,
        log,
        stage.iterations,
        stage.save_every,
        stage.log_every,
        snapshots | validated,
        keep,
    )
    write(directory / CHECKPOINT_FILE, undivided(trained))
    write(directory / TEACHER_FILE, teacher())
    if method.shows_examples:
        # After the checkpoints: what batch norm sees now changes them no more.
        with processes.autocast(), torch.no_grad():
            labelled, unlabelled = next(batches(stage.iterations - 1))
            assert isinstance(labelled, LabelledBatch)
            examples = method.examples(step.nets, labelled, unlabelled)
        if processes.is_first:
            save_examples(examples, directory, source.classes, stage.model.input_format)
    if processes.is_first:
        if stage.rare_classes is not None:
            save_drawn_classes(stage, work, source)
        # The checkpoint is whole now; the state (several times its size) has served.
        (directory / STATE_FILE).unlink()
    processes.barrier()


def _training_step(
    stage: TrainStage, method: Method, model: Segmenter, processes: Processes
) -> TrainingStep:
    extra = method.extra_networks(model.level_names)
    nets = {"model": model, **extra}
    # channels-last makes convolutions markedly faster on CPUs and on tensor cores; parts of weights
    # are contiguous
    layout = torch.contiguous_format if stage.shard else torch.channels_last
    for net in (*nets.values(), method):
        net.to(processes.device, memory_format=layout)  # type: ignore[call-overload]
    optimizers = {"model": model_optimizer(model, stage.optimizer)}
    for name, network in extra.items():
        optimizers[name] = adam(network, stage.discriminator_optimizer)
    length = stage.schedule.iterations or stage.iterations
    schedule = stage.schedule

    def rate_factor(iteration: int) -> float:
        decay = poly_factor(iteration, length, schedule.power)
        if iteration >= schedule.warm_up:
            return decay
        rise = warm_up_factor(iteration, schedule.warm_up, schedule.warm_up_from)
        return rise * decay if schedule.decays_in_warm_up else rise

    return TrainingStep(
        method,
        nets,
        optimizers,
        rate_factor,
        clip_norm=stage.optimizer.clip_norm,
        average_gradients=processes.average_gradients,
        autocast=partial(autocast_of_shared, processes) if stage.shard else processes.autocast,
    )
