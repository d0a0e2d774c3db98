"""The ``train`` stage: one method, one source, one target, one checkpoint."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from segadapt.artefacts import CHECKPOINT_FILE, TEACHER_FILE, snapshot_file
from segadapt.base.batch import UnlabelledBatch
from segadapt.data.crops import Crops
from segadapt.data.domain import Domain
from segadapt.data.loader import RawBatch, training_batches
from segadapt.data.rare_classes import rare_classes
from segadapt.engine.fabric import Processes
from segadapt.engine.log import TrainingLog
from segadapt.engine.loop import SourceBatch, TrainingStep, evenly_spaced, train
from segadapt.engine.optim import adam, model_optimizer, poly_factor, warm_up_factor
from segadapt.engine.state import STATE_FILE, TrainingState
from segadapt.methods.base import Method
from segadapt.models.build import build_segmenter, load_starting_weights
from segadapt.models.files.checkpoints import TrainedModel, load_checkpoint, save_checkpoint
from segadapt.models.inputs import normalise
from segadapt.models.segmenter import Segmenter
from segadapt.stages.batches import pairs
from segadapt.stages.context import Work
from segadapt.stages.lineage import is_oracle
from segadapt.stages.train.config import TrainStage
from segadapt.stages.train.method import build_method


def run(stage: TrainStage, work: Work) -> dict[str, Any]:
    """Train and leave ``checkpoint.safetensors``; returns numbers for the manifest."""
    source = work.context.domain(stage.source, labelled=True)
    target = None
    if stage.target is not None:
        # The target's labels are out of reach from here on, whether they exist or not.
        target = work.context.domain(stage.target, labelled=False)
    # A run killed after it removed the state needs nothing but its manifest.
    state, checkpoint = work.directory / STATE_FILE, work.directory / CHECKPOINT_FILE
    if state.is_file() or not checkpoint.is_file():
        _train(stage, work, source, target)
    return {"source_images": len(source), "target_images": len(target) if target else 0}


def _train(stage: TrainStage, work: Work, source: Domain, target: Domain | None) -> None:
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
    method.begin(model)
    step = _training_step(stage, method, model, processes)
    state = TrainingState(directory / STATE_FILE, step.nets, step.optimizers, method, processes)

    def batches(start: int) -> Iterator[tuple[SourceBatch, UnlabelledBatch | None]]:
        return _batches(stage, work, source, target, start)

    # Processes draw their own dropout: alike, they would leave out the same of every part.
    torch.manual_seed(work.seed + processes.rank)
    log = TrainingLog(directory, work.name, enabled=processes.is_first)
    trained = TrainedModel(model, stage.model, source.classes, source.size, oracle)

    def keep(iteration: int) -> None:
        if processes.is_first:
            path = snapshot_file(directory, iteration)
            path.parent.mkdir(exist_ok=True)
            save_checkpoint(path, trained)

    train(
        step,
        state,
        batches,
        log,
        stage.iterations,
        stage.save_every,
        stage.log_every,
        frozenset(evenly_spaced(stage.snapshots, stage.iterations)),
        keep,
    )
    if processes.is_first:
        save_checkpoint(directory / CHECKPOINT_FILE, trained)
        if method.averaged is not None:
            assert isinstance(method.averaged, Segmenter)
            save_checkpoint(directory / TEACHER_FILE, replace(trained, model=method.averaged))
        # The checkpoint is whole now; the state (several times its size) has served.
        (directory / STATE_FILE).unlink()
    processes.barrier()


def _training_step(
    stage: TrainStage, method: Method, model: Segmenter, processes: Processes
) -> TrainingStep:
    extra = method.extra_networks(model.head.level_names)
    nets = {"model": model, **extra}
    for net in (*nets.values(), method):
        # channels-last makes convolutions markedly faster on CPUs and on tensor cores
        net.to(processes.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
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
        autocast=processes.autocast,
    )


def _batches(
    stage: TrainStage, work: Work, source: Domain, target: Domain | None, start: int
) -> Iterator[tuple[SourceBatch, UnlabelledBatch | None]]:
    processes = work.processes

    crop = labelled_crop = rare = None
    if stage.crop is not None:
        crop = Crops(stage.crop.size)
        wanted = stage.rare_classes.least_in_crop if stage.rare_classes is not None else 0
        labelled_crop = Crops(stage.crop.size, stage.crop.largest_share, wanted, stage.crop.tries)
    if stage.rare_classes is not None:
        counts = work.context.class_counts(stage.rare_classes.counts)
        rows = dict(zip(counts.names, counts.pixels, strict=True))
        rare = rare_classes(
            np.array([rows[sample.name] for sample in source.samples]),
            stage.rare_classes.temperature,
            stage.rare_classes.least_pixels,
        )

    def raw(domain: Domain, seed: int, is_source: bool) -> Iterator[RawBatch]:
        return training_batches(
            domain,
            stage.batch_size,
            seed,
            (start, stage.iterations),
            (processes.rank, processes.count),
            stage.flip,
            stage.workers,
            stage.scales,
            jitter=stage.jitter,
            crop=labelled_crop if is_source else crop,
            rare=rare if is_source else None,
            margins=None if is_source else stage.target_margins,
        )

    def prepare(image: torch.Tensor) -> torch.Tensor:
        return normalise(image, stage.model.input_format)

    targets = raw(target, work.seed + 1, False) if target is not None else None
    return pairs(raw(source, work.seed, True), targets, prepare, processes.device)
