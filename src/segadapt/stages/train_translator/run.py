"""The ``train_translator`` stage: CycleGAN between the source and the target."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from segadapt.artefacts import TRANSLATOR_FILE
from segadapt.base.batch import UnlabelledBatch
from segadapt.base.pictures import save_jpeg
from segadapt.data.crops import Crops
from segadapt.data.domain import Domain
from segadapt.data.loader import RawBatch, training_batches
from segadapt.engine.log import TrainingLog
from segadapt.engine.loop import SourceBatch, TrainingStep, evenly_spaced, train
from segadapt.engine.optim import adam, linear_factor
from segadapt.engine.state import STATE_FILE, TrainingState
from segadapt.models.files.checkpoints import load_checkpoint
from segadapt.models.files.translators import Translator, save_translator, translate_whole
from segadapt.models.inputs import from_signed, signed
from segadapt.stages.batches import pairs
from segadapt.stages.context import Work
from segadapt.stages.train_translator.config import TrainTranslatorStage
from segadapt.tasks.of_classes import task_of
from segadapt.translation.cyclegan import CycleGAN, Shape
from segadapt.translation.semantics import SemanticJudge

SHEET_ROWS = 3
"""Images of each domain on a sheet."""


def run(stage: TrainTranslatorStage, work: Work) -> dict[str, Any]:
    """Train and leave ``translator.safetensors``, and sheets of samples along the way."""
    source = work.context.domain(stage.source, labelled=stage.reads_labels)
    target = work.context.domain(stage.target, labelled=False)
    if (work.directory / STATE_FILE).is_file() or not (work.directory / TRANSLATOR_FILE).is_file():
        _train(stage, work, source, target)
    return {"source_images": len(source), "target_images": len(target)}


def _train(stage: TrainTranslatorStage, work: Work, source: Domain, target: Domain) -> None:
    processes, directory, seed = work.processes, work.directory, work.seed
    torch.manual_seed(seed)
    several = processes.count > 1
    cyclegan = CycleGAN(
        stage,
        (_shape(stage, source), _shape(stage, target)),
        seed,
        _judge(stage, work),
        processes.joined if several else None,
        processes.rank,
    )
    nets = cyclegan.networks()
    for net in (*nets.values(), cyclegan):
        net.to(processes.device)
    step = TrainingStep(
        cyclegan,
        nets,
        {key: adam(net, stage.optimizer) for key, net in nets.items()},
        lambda iteration: linear_factor(iteration, stage.iterations, stage.optimizer.steady),
        average_gradients=processes.average_gradients,
        autocast=processes.autocast,
    )
    state = TrainingState(directory / STATE_FILE, nets, step.optimizers, cyclegan, processes)

    def raw(domain: Domain, start: int, seed: int) -> Iterator[RawBatch]:
        return training_batches(
            domain,
            stage.batch_size,
            seed,
            (start, stage.iterations),
            (processes.rank, processes.count),
            stage.flip,
            stage.workers,
            crop=None if stage.crop is None else Crops(stage.crop),
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
        TrainingLog(directory, work.name, processes.is_first, work.logged),
        stage.iterations,
        stage.save_every,
        stage.log_every,
        frozenset(evenly_spaced(stage.sheets, stage.iterations)),
        sheet,
    )
    if processes.is_first:
        translator = Translator(stage.generator, nets["to_target"], nets["to_source"])
        save_translator(directory / TRANSLATOR_FILE, translator)
        (directory / STATE_FILE).unlink()
    processes.barrier()


def _shape(stage: TrainTranslatorStage, domain: Domain) -> Shape:
    size = stage.crop or domain.size
    assert size is not None, "preflight asks for one of both"
    return (3, *size)


def _judge(stage: TrainTranslatorStage, work: Work) -> SemanticJudge | None:
    if stage.segmenter is None:
        return None
    processes = work.processes
    trained = load_checkpoint(work.context.checkpoint(stage.segmenter))
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
