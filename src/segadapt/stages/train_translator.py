"""The ``train_translator`` stage: CycleGAN between the source and the target."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from segadapt.artefacts import TRANSLATOR_FILE
from segadapt.batch import UnlabelledBatch
from segadapt.config import TrainTranslatorStage
from segadapt.data.domain import Domain
from segadapt.data.loader import RawBatch, training_batches
from segadapt.engine.fabric import Processes
from segadapt.engine.log import TrainingLog
from segadapt.engine.loop import SourceBatch, TrainingStep, evenly_spaced, train
from segadapt.engine.optim import adam, linear_factor
from segadapt.engine.state import STATE_FILE, TrainingState
from segadapt.models.checkpoints import load_checkpoint
from segadapt.models.inputs import from_signed, signed
from segadapt.models.translators import Translator, save_translator, translate_whole
from segadapt.pictures import save_jpeg
from segadapt.stages.batches import pairs
from segadapt.stages.context import StageContext
from segadapt.tasks.classification import task_of
from segadapt.translation.cyclegan import CycleGAN, Shape
from segadapt.translation.semantics import SemanticJudge

SHEET_ROWS = 3
"""Images of each domain on a sheet."""


def run(
    name: str,
    config: TrainTranslatorStage,
    context: StageContext,
    directory: Path,
    processes: Processes,
) -> dict[str, Any]:
    """Train and leave ``translator.safetensors``, and sheets of samples along the way."""
    source = context.domain(config.source, labelled=config.reads_labels)
    target = context.domain(config.target, labelled=False)
    if (directory / STATE_FILE).is_file() or not (directory / TRANSLATOR_FILE).is_file():
        _train(name, config, context, directory, processes, source, target)
    return {"source_images": len(source), "target_images": len(target)}


def _train(
    name: str,
    config: TrainTranslatorStage,
    context: StageContext,
    directory: Path,
    processes: Processes,
    source: Domain,
    target: Domain,
) -> None:
    seed = context.stage_seed(name)
    torch.manual_seed(seed)
    several = processes.count > 1
    cyclegan = CycleGAN(
        config,
        (_shape(config, source), _shape(config, target)),
        seed,
        _judge(config, context, processes),
        processes.joined if several else None,
        processes.rank,
    )
    nets = cyclegan.networks()
    for net in (*nets.values(), cyclegan):
        net.to(processes.device)
    step = TrainingStep(
        cyclegan,
        nets,
        {key: adam(net, config.optimizer) for key, net in nets.items()},
        lambda iteration: linear_factor(iteration, config.iterations, config.optimizer.steady),
        average_gradients=processes.average_gradients,
        autocast=processes.autocast,
    )
    state = TrainingState(directory / STATE_FILE, nets, step.optimizers, cyclegan, processes)

    def raw(domain: Domain, start: int, seed: int) -> Iterator[RawBatch]:
        return training_batches(
            domain,
            config.batch_size,
            seed,
            (start, config.iterations),
            (processes.rank, processes.count),
            config.flip,
            config.workers,
            crop=config.crop,
        )

    def batches(start: int) -> Iterator[tuple[SourceBatch, UnlabelledBatch | None]]:
        both = raw(source, start, seed), raw(target, start, seed + 1)
        return pairs(*both, signed, processes.device)

    def sheet(iteration: int) -> None:
        if processes.is_first:
            with processes.autocast():
                _save_sheets(directory / "sheets", iteration, nets, source, target)

    train(
        step,
        state,
        batches,
        TrainingLog(directory, name, enabled=processes.is_first),
        config.iterations,
        config.save_every,
        config.log_every,
        frozenset(evenly_spaced(config.sheets, config.iterations)),
        sheet,
    )
    if processes.is_first:
        translator = Translator(config.generator, nets["to_target"], nets["to_source"])
        save_translator(directory / TRANSLATOR_FILE, translator)
        (directory / STATE_FILE).unlink()
    processes.barrier()


def _shape(config: TrainTranslatorStage, domain: Domain) -> Shape:
    size = config.crop or domain.size
    assert size is not None, "preflight asks for one of both"
    return (3, *size)


def _judge(
    config: TrainTranslatorStage, context: StageContext, processes: Processes
) -> SemanticJudge | None:
    if config.segmenter is None:
        return None
    trained = load_checkpoint(context.checkpoint(config.segmenter))
    mean = processes.mean if processes.count > 1 else None
    task = task_of(trained.classes, mean)
    model = trained.model.to(
        processes.device,
        memory_format=torch.channels_last,  # type: ignore[call-overload]
    )
    return SemanticJudge(model, trained.config.input_format, task)


@torch.no_grad()
def _save_sheets(
    folder: Path, iteration: int, nets: dict[str, nn.Module], source: Domain, target: Domain
) -> None:
    """A few whole images of each domain, translated and cycled: three pictures in a row each."""
    folder.mkdir(exist_ok=True)
    device = next(nets["to_target"].parameters()).device
    for domain, to, back in ((source, "target", "source"), (target, "source", "target")):
        rows = []
        for index in np.linspace(0, len(domain) - 1, min(SHEET_ROWS, len(domain))):
            image = torch.from_numpy(domain.image(round(index)))[None].to(device)
            made = translate_whole(nets[f"to_{to}"], signed(image))
            cycled = translate_whole(nets[f"to_{back}"], made)
            rows.append(torch.cat([image, from_signed(made), from_signed(cycled)], dim=2)[0])
        width = min(row.shape[1] for row in rows)
        sheet = torch.cat([row[:, :width] for row in rows]).cpu().numpy()
        save_jpeg(sheet, folder / f"{iteration:07d}.{'source' if to == 'target' else 'target'}.jpg")
