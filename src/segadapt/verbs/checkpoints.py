"""Verbs about checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from segadapt.base.counted import counted
from segadapt.base.errors import SegadaptError
from segadapt.verbs.options import (
    DeviceOption,
    FamilyOption,
    FlipOption,
    GraphInput,
    GraphOutput,
    Precision,
    PrecisionOption,
    ScalesOption,
    WindowOption,
    WithOption,
)


def evaluate(
    checkpoint: Annotated[
        Path, typer.Argument(help="A checkpoint, a run's folder, or hf:USER/NAME.")
    ],
    dataset: Annotated[str, typer.Option("--dataset", help="See `segadapt list datasets`.")],
    root: Annotated[Path, typer.Option("--root", help="The dataset's folder.")],
    split: Annotated[str, typer.Option("--split", help="The split to score.")],
    classes: Annotated[
        str | None, typer.Option("--classes", help="Class map of the dataset.")
    ] = None,
    json_: Annotated[
        Path | None, typer.Option("--json", help="Write the scores to this file.")
    ] = None,
    family: FamilyOption = None,
    device: DeviceOption = "auto",
    precision: PrecisionOption = Precision.full,
    with_: WithOption = None,
    scales: ScalesOption = "1",
    flip: FlipOption = False,
    window: WindowOption = None,
    table: Annotated[
        Path | None,
        typer.Option("--table", help="Write a table of the scores: FILE.csv, .md or .tex."),
    ] = None,
) -> None:
    """Score a checkpoint, or every checkpoint of a run, at full label resolution."""
    from segadapt.base.compute import Compute
    from segadapt.commands.evaluate import score_checkpoints
    from segadapt.commands.options import ensemble_of, views_of
    from segadapt.commands.tables import print_scores, require_known_suffix, write_table

    if table is not None:
        require_known_suffix(table)
    result = score_checkpoints(
        checkpoint,
        dataset,
        root,
        split,
        classes=classes,
        family=family,
        with_=ensemble_of(with_ or ()),
        views=views_of(scales, flip, window),
        compute=Compute(device=device, precision=precision.value),
    )
    if table is not None:
        write_table(table, result)
    print_scores(result)
    if json_ is not None:
        from segadapt.artefacts import strict_json

        try:
            json_.write_text(strict_json(result, indent=1) + "\n")
        except OSError as error:
            raise SegadaptError(f"--json {json_}: cannot be written ({error.strerror})") from error


def predict(
    checkpoint: Annotated[Path, typer.Argument(help="A checkpoint, a run, or hf:USER/NAME.")],
    paths: Annotated[
        list[str],
        typer.Argument(help="Images, folders, patterns in quotes, films, streams, camera:0."),
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder for what is written.")],
    write: Annotated[
        str | None,
        typer.Option(
            "--write",
            help="What to write: labels,overlays (if not given), entropy, probabilities.",
        ),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(
            "--size",
            metavar="HxW",
            help="Look at images in this size, or in their own: native; else in the training's.",
        ),
    ] = None,
    label_ids: Annotated[
        str | None,
        typer.Option(
            "--label-ids",
            help="Write the ids that a data set (or a folder with classes.yaml) stores.",
        ),
    ] = None,
    family: FamilyOption = None,
    device: DeviceOption = "auto",
    precision: PrecisionOption = Precision.full,
    batch_size: Annotated[
        int | None,
        typer.Option(
            "--batch-size", min=1, help="Images at a time: 8 on a GPU, one a core on a CPU."
        ),
    ] = None,
    workers: Annotated[
        int, typer.Option("--workers", min=0, help="Threads that read, and that write.")
    ] = 2,
    with_: WithOption = None,
    scales: ScalesOption = "1",
    flip: FlipOption = False,
    window: WindowOption = None,
) -> None:
    """Segment images (ids, overlays, entropies, probabilities), or find boxes with a detector."""
    from segadapt.commands.options import ensemble_of, views_of
    from segadapt.commands.predict.options import kinds_of, last_checkpoint, size_of
    from segadapt.commands.predict.run import predict_files

    chosen = last_checkpoint(checkpoint)
    if chosen != checkpoint:
        typer.echo(f"{checkpoint}: {chosen.relative_to(checkpoint)}")
    done = predict_files(
        chosen,
        paths,
        out,
        family=family,
        device=device,
        precision=precision.value,
        with_=ensemble_of(with_ or ()),
        views=views_of(scales, flip, window),
        size=size_of(size),
        kinds=kinds_of(write),
        label_ids=label_ids,
        batch_size=batch_size,
        workers=workers,
    )
    written = ", ".join(f"{out}/{name}" for name in done.outputs)
    typer.echo(f"{counted(done.images, 'image')}: {written}")
    if done.unread:
        raise SegadaptError(
            f"{len(done.unread)} could not be read, and all else is done: {'; '.join(done.unread)}"
        )


def convert(
    source: Annotated[Path, typer.Argument(metavar="IN", help="The file to read.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="The new file.")],
    family: FamilyOption = None,
    classes_from: Annotated[
        str | None,
        typer.Option(
            "--classes-from", help="Data set, or folder with classes.yaml, that names its classes."
        ),
    ] = None,
) -> None:
    """Convert a published .pth checkpoint to our .safetensors, or ours to a published .pth."""
    from segadapt.commands.convert import convert_checkpoint

    trained = convert_checkpoint(source, target, family, classes_from)
    model = trained.config
    typer.echo(
        f"{target}: {model.backbone}, heads: {model.heads}, {len(trained.classes.names)} classes"
    )


def export(
    checkpoint: Annotated[
        Path, typer.Argument(help="A checkpoint, a folder with one, or hf:USER/NAME.")
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The new file, .onnx or .pt2.")],
    input_: Annotated[
        GraphInput,
        typer.Option("--input", help="float: RGB (N, 3, H, W) in 0..1; uint8: RGB (N, H, W, 3)."),
    ] = GraphInput.float,
    output: Annotated[
        GraphOutput | None,
        typer.Option(
            "--output",
            help="scores or labels at the picture's size; of a detector boxes of all anchors, or "
            "detections, after suppression.",
        ),
    ] = None,
    half: Annotated[bool, typer.Option("--half", help="Compute in half precision.")] = False,
    family: FamilyOption = None,
) -> None:
    """Write a checkpoint as a file that runs without segadapt, once it agrees with torch."""
    from segadapt.commands.export import export_checkpoint, told

    chosen = None if output is None else output.value
    done = export_checkpoint(checkpoint, out, input_.value, chosen, half, family)
    for line in told(done, input_.value):
        typer.echo(line)


def publish(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="A run's folder, or a checkpoint in it.")
    ],
    repository: Annotated[
        str, typer.Argument(metavar="USER/NAME", help="Its name on the Hugging Face hub.")
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The folder to write; RUN/published/NAME where not given."),
    ] = None,
    licence: Annotated[
        str | None, typer.Option("--licence", help="Of the weights, as in apache-2.0.")
    ] = None,
    backbone_licence: Annotated[
        str | None, typer.Option("--backbone-licence", help="Of the starting weights.")
    ] = None,
    data_licence: Annotated[
        str | None, typer.Option("--data-licence", help="Of the data that it was trained on.")
    ] = None,
    private: Annotated[
        bool, typer.Option("--private", help="Make the repository a private one.")
    ] = False,
    no_upload: Annotated[
        bool, typer.Option("--no-upload", help="Write the folder, to look at it first.")
    ] = False,
) -> None:
    """Write a run's weights with a model card, and upload them where there is a token."""
    from segadapt.commands.publish.card import Licences
    from segadapt.commands.publish.publish import publish as publish_run

    licences = Licences(licence, backbone_licence, data_licence)
    typer.echo(publish_run(run, repository, out, licences, private, uploads=not no_upload))
