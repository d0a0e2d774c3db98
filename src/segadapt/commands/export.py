"""Turns a checkpoint into a file that runs without this package: the ``export`` verb."""

from __future__ import annotations

from pathlib import Path

from segadapt.base.errors import SegadaptError
from segadapt.engine.exported.description import ONNX, description_of
from segadapt.engine.exported.graph import INPUT_NAME, Graph, Input, Output
from segadapt.engine.exported.write import Exported, export, require_export
from segadapt.models.files.checkpoints import checkpoint_of, load_checkpoint

OF_PIXELS: tuple[Output, ...] = ("scores", "labels")
OF_BOXES: tuple[Output, ...] = ("boxes", "detections")


def export_checkpoint(
    checkpoint: Path,
    path: Path,
    input_: Input = "float",
    output: str | None = None,
    half: bool = False,
    family: str | None = None,
) -> Exported:
    """Write a checkpoint's network as ONNX or as torch's exported program.

    Args:
        checkpoint: a file, or the folder of a stage or run that has one.
        path: a new file that ends in ``.onnx`` or ``.pt2``.
        input_: see :class:`Graph`.
        output: see :class:`Graph`; ``scores``, or ``boxes`` of a detector, where not given.
        half: the network computes in half precision.
        family: whose layout a published file has.

    Raises:
        SegadaptError: a file cannot be read or written, the output does not go with the network,
            or what would be written does not agree with the checkpoint.
    """
    require_export(path)
    if path.exists():
        raise SegadaptError(f"{path}: exists already; name another file")
    if not path.parent.is_dir():
        raise SegadaptError(f"{path}: its folder does not exist; make it first")
    file = checkpoint_of(checkpoint)
    trained = load_checkpoint(file, family)
    possible = OF_BOXES if trained.classes.boxes else OF_PIXELS
    chosen = next((x for x in possible if output in (x, None)), None)
    if chosen is None:
        finds = "finds boxes" if trained.classes.boxes else "gives pixels classes"
        raise SegadaptError(
            f"--output {output}: this checkpoint {finds}; choose one of {', '.join(possible)}"
        )
    if trained.config.detail is not None and trained.size is None:
        raise SegadaptError(
            f"{file}: cannot be exported: it looks at an image through windows (model.detail), "
            "whose number depends on the image's size; train it with images of one size "
            "(the domain's size), or use its checkpoint"
        )
    exact = Graph(trained, input_, chosen)
    graph = Graph(trained, input_, chosen, half=True) if half else exact
    return export(graph, exact, description_of(graph, trained, file), path)


def told(done: Exported, input_: Input) -> list[str]:
    """What was written and how it agrees, in lines, with what TensorRT is called with."""
    lines = [f"{done.path}: {done.bytes / 1e6:.1f} MB"]
    lines += [f"  {found.told}" for found in done.agreements]
    if done.path.suffix == ONNX:
        layout = "{n}x{h}x{w}x3" if input_ == "uint8" else "{n}x3x{h}x{w}"
        shapes = [
            f"--{name}Shapes={INPUT_NAME}:" + layout.format(n=n, h=h, w=w)
            for name, (n, h, w) in (
                ("min", (1, 64, 64)),
                ("opt", done.agreements[0].shape),
                ("max", (8, 1080, 1920)),
            )
        ]
        engine = done.path.with_suffix(".engine")
        lines += [f"trtexec --onnx={done.path} {' '.join(shapes)} --saveEngine={engine}"]
    return lines
