"""A frozen classifier of the source that keeps translations from changing what is shown."""

from __future__ import annotations

from torch import Tensor

from segadapt.config import InputFormat
from segadapt.losses.segmentation import IGNORE
from segadapt.models.inputs import from_planes
from segadapt.models.segmenter import Segmenter
from segadapt.tasks.segmentation import Level, SegmentationTask


class SemanticJudge:
    """Semantic consistency (CIRN, Eq. 4; CyCADA, Hoffman et al., ICML 2018, Eq. 4).

    Args:
        model: trained on the source; it is frozen here.
        input_format: what it is fed.
        task: computes its losses.
    """

    def __init__(self, model: Segmenter, input_format: InputFormat, task: SegmentationTask) -> None:
        self._model = model.eval().requires_grad_(False)
        self._input_format = input_format
        self._task = task

    def loss(self, image: Tensor, label: Tensor) -> Tensor:
        """Cross-entropy of what the model sees in ``image`` against ``label``, a scalar.

        Args:
            image: (N, 3, H, W) in [-1, 1]; gradients reach it.
            label: (N, H, W) ids, 255 to be ignored.
        """
        return self._task.supervised_loss(self._main(image), label)

    def answer(self, image: Tensor) -> Tensor:
        """What the model sees in (N, 3, H, W) images: ids (N, H, W) without gradient."""
        return self._main(image.detach()).logit.argmax(dim=1).clamp(max=IGNORE - 1)

    def _main(self, image: Tensor) -> Level:
        planes = (image + 1) * 127.5
        return self._task.levels(self._model, from_planes(planes, self._input_format))[0]
