"""Writes a network as ONNX or as torch's exported program, after it was compared with torch's."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from segadapt.base.errors import SegadaptError, first_line
from segadapt.base.extras import require_extra
from segadapt.engine.exported.agreement import Agreement, agreement, required
from segadapt.engine.exported.description import KEY, ONNX, PROGRAM, Description
from segadapt.engine.exported.graph import INPUT_NAME, OUTPUT_NAMES, Graph
from segadapt.engine.exported.pictures import pictures

TRACED = (2, 256, 320)
"""Batch, height and width of the pictures that are traced: a batch of one would be kept as such,
and what is small would hide what asks for a map's size."""
TRIED = ((1, 192, 224), (3, 161, 251))
"""The same of those that the file is compared on, besides."""

Run = Callable[[Tensor], tuple[Tensor, ...]]


class Exported(NamedTuple):
    """What was written, and how well it agrees with torch."""

    path: Path
    bytes: int
    agreements: tuple[Agreement, ...]


def require_export(path: Path) -> None:
    """Raise SegadaptError where a file of this kind cannot be written here."""
    if path.suffix not in (ONNX, PROGRAM):
        raise SegadaptError(f"{path}: a file to export to ends in {ONNX} or {PROGRAM}; name it so")
    if path.suffix == ONNX:
        names = ("onnx", "onnxscript", "onnxruntime")
        require_extra(f"{path}:", "export", **{name: name for name in names})


def export(graph: Graph, exact: Graph, description: Description, path: Path) -> Exported:
    """Trace, compare on pictures of other sizes and another batch, and write.

    Args:
        graph: what is written.
        exact: what it is compared with: itself, or in single precision where it is in half.
        description: what the file says of itself.
        path: the new file.

    Raises:
        SegadaptError: the network cannot be exported, does not agree, or nothing can be written.
            Nothing is written then.
    """
    require_export(path)
    graph.eval()
    exact.eval()
    partial = path.with_name(path.name + ".partial")
    try:
        with torch.no_grad(), _quiet():
            run = _onnx if path.suffix == ONNX else _program
            compared = run(graph, description, partial)
        found = tuple(_compare(exact, compared, shape, graph.half_) for shape in (TRACED, *TRIED))
        worst = [x for x in found if not x.holds]
        if worst:
            raise SegadaptError(
                f"{path}: not written, as it does not agree with the checkpoint: {worst[0].told}; "
                f"{required(graph.half_)}"
            )
        partial.replace(path)
    except OSError as error:
        raise SegadaptError(f"{path}: cannot be written ({first_line(error)})") from error
    finally:
        partial.unlink(missing_ok=True)
    return Exported(path, path.stat().st_size, found)


def _compare(exact: Graph, run: Run, shape: tuple[int, int, int], half: bool) -> Agreement:
    image = pictures(shape, exact.input)
    with torch.no_grad():
        expected = exact(image)
    expected = (expected,) if isinstance(expected, Tensor) else expected
    return agreement(shape, exact.output, expected, run(image), half)


def _traced(graph: Graph) -> torch.export.ExportedProgram:
    free = torch.export.Dim.DYNAMIC
    sides = {0: free, 1: free, 2: free} if graph.input == "uint8" else {0: free, 2: free, 3: free}
    try:
        return torch.export.export(graph, (pictures(TRACED, graph.input),), dynamic_shapes=(sides,))
    except Exception as error:  # whatever a tracer does not know about a network
        raise _untraceable(error) from error


def _untraceable(error: Exception) -> SegadaptError:
    return SegadaptError(
        f"this network cannot be exported: torch says {first_line(error)!r:.300}; its checkpoint "
        "can be used as it is"
    )


def _onnx(graph: Graph, description: Description, file: Path) -> Run:
    import onnxruntime

    program = _traced(graph)
    try:
        written = torch.onnx.export(
            program,
            dynamo=True,
            verbose=False,
            input_names=[INPUT_NAME],
            output_names=list(OUTPUT_NAMES[graph.output]),
        )
        assert written is not None
        written.model.metadata_props[KEY] = description.text()
        written.save(file, external_data=False)
    except Exception as error:  # an operator that has no counterpart
        raise _untraceable(error) from error
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    return lambda image: tuple(
        torch.from_numpy(x) for x in session.run(None, {INPUT_NAME: image.numpy()})
    )


def _program(graph: Graph, description: Description, file: Path) -> Run:
    program = _traced(graph)
    buffer = io.BytesIO()
    torch.export.save(program, buffer, extra_files={KEY: description.text()})
    file.write_bytes(buffer.getvalue())
    run = torch.export.load(io.BytesIO(buffer.getvalue())).module()

    def call(image: Tensor) -> tuple[Tensor, ...]:
        with torch.no_grad():
            found: Any = run(image)
        return (found,) if isinstance(found, Tensor) else tuple(found)

    return call


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Exporters tell of what is none of a user's business."""
    level = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with contextlib.redirect_stdout(io.StringIO()):
                yield
    finally:
        logging.disable(level)
