"""The ``train`` stage: one method, one source, one target, one checkpoint."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from segadapt.artefacts import CHECKPOINT_FILE, snapshot_file
from segadapt.batch import UnlabelledBatch
from segadapt.classes import ClassSet
from segadapt.config import TrainStage
from segadapt.data.domain import Domain
from segadapt.data.loader import RawBatch, training_batches
from segadapt.engine.fabric import Processes
from segadapt.engine.log import TrainingLog
from segadapt.engine.loop import SourceBatch, TrainingStep, evenly_spaced, train
from segadapt.engine.optim import adam, model_optimizer, poly_factor
from segadapt.engine.state import STATE_FILE, TrainingState
from segadapt.methods.base import Method, find_method
from segadapt.models.base import Segmenter
from segadapt.models.checkpoints import TrainedModel, load_checkpoint, save_checkpoint
from segadapt.models.initialise import build_segmenter, load_starting_weights
from segadapt.models.inputs import normalise
from segadapt.stages.batches import pairs
from segadapt.stages.context import StageContext
from segadapt.tasks.classification import task_of


def run(
    name: str, config: TrainStage, context: StageContext, directory: Path, processes: Processes
) -> dict[str, Any]:
    """Train and leave ``checkpoint.safetensors``; returns numbers for the manifest."""
    source = context.domain(config.source, labelled=True)
    # The target's labels are out of reach from here on, whether they exist or not.
    target = None
    if find_method(config.method["name"]).uses_target:
        assert config.target is not None
        target = context.domain(config.target, labelled=False)
    # A run killed after it removed the state needs nothing but its manifest.
    if (directory / STATE_FILE).is_file() or not (directory / CHECKPOINT_FILE).is_file():
        _train(name, config, context, directory, processes, source, target)
    return {"source_images": len(source), "target_images": len(target) if target else 0}


def _train(
    name: str,
    config: TrainStage,
    context: StageContext,
    directory: Path,
    processes: Processes,
    source: Domain,
    target: Domain | None,
) -> None:
    seed = context.stage_seed(name)
    torch.manual_seed(seed)
    prior = None
    if config.class_prior is not None:
        prior = context.class_prior(config.class_prior).shares
    method = build_method(config, source.classes, processes, prior)
    model = build_segmenter(config.model, len(source.classes.names))
    if config.start_from is not None:
        start = load_checkpoint(context.checkpoint(config.start_from)).model
        model.load_state_dict(start.state_dict())
    else:
        load_starting_weights(model, config.model, context.data_root)
    method.begin(model)
    step = _training_step(config, method, model, processes)
    state = TrainingState(directory / STATE_FILE, step.nets, step.optimizers, method, processes)

    def batches(start: int) -> Iterator[tuple[SourceBatch, UnlabelledBatch | None]]:
        return _batches(config, source, target, seed, start, processes)

    # Processes draw their own dropout: alike, they would leave out the same of every part.
    torch.manual_seed(seed + processes.rank)
    log = TrainingLog(directory, name, enabled=processes.is_first)
    trained = TrainedModel(model, config.model, source.classes, source.size, oracle=config.oracle)

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
        config.iterations,
        config.save_every,
        config.log_every,
        frozenset(snapshot_iterations(config)),
        keep,
    )
    if processes.is_first:
        save_checkpoint(directory / CHECKPOINT_FILE, trained)
        # The checkpoint is whole now; the state (several times its size) has served.
        (directory / STATE_FILE).unlink()
    processes.barrier()


def snapshot_iterations(config: TrainStage) -> list[int]:
    """Numbers of iterations after which a snapshot is kept, the last being the stage's end."""
    return evenly_spaced(config.snapshots, config.iterations)


def build_method(
    config: TrainStage,
    classes: ClassSet,
    processes: Processes | None,
    class_prior: tuple[float, ...] | None = None,
) -> Method:
    """The method of a train stage, its settings validated by the method's own section."""
    settings = dict(config.method)
    method_class = find_method(settings.pop("name"))
    mean = processes.mean if processes is not None and processes.count > 1 else None
    task = task_of(classes, mean, class_prior)
    return method_class(method_class.Config(**settings), task)


def _training_step(
    config: TrainStage, method: Method, model: Segmenter, processes: Processes
) -> TrainingStep:
    level_names = ["main", "aux"] if config.model.heads == "multi_level" else ["main"]
    extra = method.extra_networks(level_names)
    nets = {"model": model, **extra}
    for net in (*nets.values(), method):
        # channels-last makes convolutions markedly faster on CPUs and on tensor cores
        net.to(processes.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizers = {"model": model_optimizer(model, config.optimizer)}
    for name, network in extra.items():
        optimizers[name] = adam(network, config.discriminator_optimizer)
    length = config.schedule.iterations or config.iterations
    return TrainingStep(
        method,
        nets,
        optimizers,
        lambda iteration: poly_factor(iteration, length, config.schedule.power),
        clip_norm=config.optimizer.clip_norm,
        average_gradients=processes.average_gradients,
        autocast=processes.autocast,
    )


def _batches(
    config: TrainStage,
    source: Domain,
    target: Domain | None,
    seed: int,
    start: int,
    processes: Processes,
) -> Iterator[tuple[SourceBatch, UnlabelledBatch | None]]:
    def raw(domain: Domain, seed: int) -> Iterator[RawBatch]:
        return training_batches(
            domain,
            config.batch_size,
            seed,
            (start, config.iterations),
            (processes.rank, processes.count),
            config.flip,
            config.workers,
            config.scales,
            jitter=config.jitter,
        )

    def prepare(image: torch.Tensor) -> torch.Tensor:
        return normalise(image, config.model.input_format)

    targets = raw(target, seed + 1) if target is not None else None
    return pairs(raw(source, seed), targets, prepare, processes.device)
