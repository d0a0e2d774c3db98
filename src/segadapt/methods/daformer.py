"""DAFormer: DACS with a distance to the starting features (Hoyer et al., CVPR 2022)."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from segadapt.base.batch import LabelledBatch
from segadapt.losses.feature_distance import feature_distance, thing_cells
from segadapt.methods.base import Backward, TrainingFacts, weighted_sum
from segadapt.methods.config.daformer import DAFormerConfig
from segadapt.methods.dacs import DACS
from segadapt.models.segmenter import Segmenter
from segadapt.tasks.segmentation import SegmentationTask


class DAFormer(DACS):
    """The trunk's last features stay near those of its starting weights, where things are seen.

    Rare class sampling, the other half of the paper's training, is the stage's (``rare_classes``),
    and so are its schedule and its network.
    """

    Config = DAFormerConfig

    def __init__(self, config: Any, task: SegmentationTask) -> None:
        super().__init__(config, task)
        self.started: Segmenter | None = None
        """The network with its starting weights."""

    def check(self, training: TrainingFacts) -> str | None:
        """The classes of things must be there."""
        if self.config.lambda_feature and not self.things():
            return (
                f"method.things: none of {', '.join(self.config.things)} is a class here "
                f"({', '.join(self.task.class_names)}); name those that are things, or set "
                "lambda_feature to 0"
            )
        return super().check(training)

    def things(self) -> list[int]:
        """Ids of the classes on which features are compared."""
        names = self.task.class_names
        return [names.index(name) for name in self.config.things if name in names]

    def begin(self, model: nn.Module) -> None:
        """Keep the starting weights."""
        super().begin(model)
        if self.config.lambda_feature:
            assert isinstance(model, Segmenter)
            self.started = copy.deepcopy(model).requires_grad_(False).eval()

    def source_step(
        self, nets: Mapping[str, nn.Module], source: LabelledBatch, backward: Backward
    ) -> dict[str, Tensor]:
        """Cross-entropy, and the feature distance (Eq. 8 to 12)."""
        if self.started is None:
            return super().source_step(nets, source, backward)
        model = nets["model"]
        assert isinstance(model, Segmenter)
        features = model.features(source.image)
        size = source.image.shape[-2:]
        levels = self.task.levels_of(model.scores(features, source.image), size)
        losses = {x.name: self.task.supervised_loss(x, source.label) for x in levels}
        with torch.no_grad():
            frozen = self.started.features(source.image)[-1]
        height, width = features[-1].shape[-2:]
        padded = model.padded_label(source.label)
        cells = thing_cells(padded, (height, width), self.things(), self.config.least_share)
        distance = feature_distance(features[-1], frozen, cells, self.task.process_mean)
        total = weighted_sum(levels, losses, self.config.lambda_seg)
        del levels  # maps of the image's size, which the backward pass does without
        backward(total + self.config.lambda_feature * distance)
        found = {f"loss_seg_{name}": loss.detach() for name, loss in losses.items()}
        return found | {"loss_feature": distance.detach()}
