"""An exported ONNX file in place of a checkpoint, through ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from segadapt.base.errors import SegadaptError, first_line
from segadapt.base.extras import require_extra
from segadapt.engine.exported.description import KEY, ONNX, PROGRAM, Description, read_description
from segadapt.engine.exported.graph import INPUT_NAME
from segadapt.losses.boxes import CODER
from segadapt.models.boxes import BoxOutput
from segadapt.models.files.checkpoints import TrainedModel, load_checkpoint, network_settings
from segadapt.models.heads.base import LevelLogits

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

    from segadapt.models.segmenter import Segmenter

USABLE = ("scores", "boxes")


def load_model(path: Path, family: str | None = None) -> TrainedModel:
    """A checkpoint of any kind, or an exported file, which then computes in ONNX Runtime.

    Raises:
        SegadaptError: as :func:`load_checkpoint`, or the exported file cannot be used.
    """
    if path.suffix == PROGRAM:
        raise SegadaptError(
            f"{path}: torch may execute what is in such a file while it reads it, so it is not "
            "opened here; give the checkpoint, or export it to .onnx"
        )
    return load_checkpoint(path, family) if path.suffix != ONNX else _exported(path)


def require_free_size(path: Path, size: tuple[int, int] | None, option: str) -> None:
    """Raise SegadaptError for an exported file that brings images to its own size inside.

    ``size`` is that of the training, if it has one; ``option`` would have another looked at.
    """
    if path.suffix == ONNX and size is not None:
        raise SegadaptError(
            f"{path}: an exported file brings images to the size of the training itself; leave "
            f"{option} out, or give the checkpoint"
        )


def _exported(path: Path) -> TrainedModel:
    require_extra(f"{path}:", "export", onnxruntime="onnxruntime")
    import onnxruntime

    if not path.is_file():
        raise SegadaptError(f"{path}: there is no such file")
    try:
        cuda = "CUDAExecutionProvider" in onnxruntime.get_available_providers()
        providers = ["CUDAExecutionProvider"] * cuda + ["CPUExecutionProvider"]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        session = onnxruntime.InferenceSession(str(path), options, providers=providers)
    except Exception as error:  # ONNX Runtime has a kind of its own for each failure
        raise SegadaptError(f"{path}: ONNX Runtime cannot use it ({first_line(error)})") from error
    text = session.get_modelmeta().custom_metadata_map.get(KEY)
    description = read_description(text, path)
    if description.output not in USABLE:
        raise SegadaptError(
            f"{path}: gives {description.output}, and its scores are needed here; export the "
            f"checkpoint with --output {USABLE[description.classes.boxes]}"
        )
    network = _Network(session, description)
    # What goes in is RGB in 0..1, whatever the network inside takes.
    config = network_settings({**description.network, "input_format": "rgb"}, path)
    return TrainedModel(
        cast("Segmenter", network),
        config,
        description.classes,
        description.size,
        description.oracle,
    )


class _Network(nn.Module):
    """Looks like a segmenter to those that only ask for scores."""

    def __init__(self, session: InferenceSession, description: Description) -> None:
        super().__init__()
        self._session, self._description = session, description

    def main_scores(self, image: Tensor) -> Tensor:
        """Scores (N, C, H, W), as of :meth:`forward`."""
        return self(image).main  # type: ignore[no-any-return]

    def forward(self, image: Tensor) -> LevelLogits:
        """RGB (N, 3, H, W) in 0..1 -> scores (N, C, H, W), or what a detector says."""
        given = image.float().contiguous()
        if self._description.input == "uint8":
            given = (255 * given).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous()
        found = self._session.run(None, {INPUT_NAME: given.cpu().numpy()})
        outputs = [torch.from_numpy(x).to(image.device) for x in found]
        if self._description.output == "scores":
            return LevelLogits(outputs[0])
        boxes, probability = outputs
        height, width = image.shape[-2:]
        shares = boxes / boxes.new_tensor((width, height, width, height))
        # Any anchors will do that these boxes are coded from: the whole image, for all.
        anchors = shares.new_tensor((0.0, 0.0, 1.0, 1.0)).expand(shares.shape[1], 4)
        offsets = torch.stack([CODER.encode_single(one, anchors) for one in shares])
        scores = probability.clamp(min=1e-30).log()
        return LevelLogits(scores, boxes=BoxOutput(scores, offsets, anchors, ()))
