"""Trunks, heads, methods and stages of one's own that are wrong in the usual ways."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from segadapt.config.stage import Reference, Stage
from segadapt.methods.base import TrainingFacts
from segadapt.methods.source_only import SourceOnly
from segadapt.models.heads.base import Head, LevelLogits
from segadapt.models.heads.linear import Linear
from segadapt.models.trunks.base import Trunk


class Good(Trunk):
    """One convolution of stride 4."""

    channels: tuple[int, ...] = (6,)
    strides: tuple[int, ...] = (4,)

    def __init__(self, name: str, config: Any) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, 6, 4, stride=4)

    def forward(self, image: Tensor) -> list[Tensor]:
        return [self.layer(image)]


class Raises(Good):
    def __init__(self, name: str, config: Any) -> None:
        raise ValueError("of no use\nat all")


class NoArguments(Good):
    def __init__(self) -> None:
        super().__init__("", None)


class NoSuper(Good):
    def __init__(self, name: str, config: Any) -> None:
        self.layer = nn.Conv2d(3, 6, 4)


class NoChannels(Trunk):
    def __init__(self, name: str, config: Any) -> None:
        super().__init__()


class NoSection(Good):
    Config = None


class BadMiddle(Good):
    middle = 5


class NoMultiple(Good):
    multiple = 0


class OneTensor(Good):
    def forward(self, image: Tensor) -> Any:
        return self.layer(image)


class OtherChannels(Good):
    channels = (7,)


class TwoSaid(Good):
    channels, strides = (6, 6), (4, 4)


class NoForward(Good):
    forward = Trunk.forward


class Odd(Good):
    def forward(self, image: Tensor) -> list[Tensor]:
        raise RuntimeError(f"not {tuple(image.shape[2:])}")


class BareTensor(Linear):
    def forward(self, maps: list[Tensor]) -> Any:
        return self.main(maps[-1])


class OneTooMany(Linear):
    def __init__(self, config: Any, trunk: Trunk, num_classes: int) -> None:
        super().__init__(config, trunk, num_classes + 1)


class SaysTwoLevels(Linear):
    level_names = ("main", "aux")


class SaysSum(Linear):
    is_sum = True


class HeadRaises(Head):
    def __init__(self, config: Any, trunk: Trunk, num_classes: int) -> None:
        super().__init__()
        raise KeyError("nothing")


class MainScores(Linear):
    def main_scores(self, maps: list[Tensor]) -> Tensor:
        scores: Tensor = self.main(maps[-1])
        return scores


class ForwardAlone(MainScores):
    def forward(self, maps: list[Tensor]) -> LevelLogits:
        return super().forward([2 * maps[-1]])


class BatchOfTwo(Linear):
    def __init__(self, config: Any, trunk: Trunk, num_classes: int) -> None:
        super().__init__(config, trunk, num_classes)
        self.norm = nn.BatchNorm2d(6)

    def forward(self, maps: list[Tensor]) -> LevelLogits:
        return super().forward([self.norm(maps[-1].mean(dim=(2, 3), keepdim=True))])


class CheckRaises(SourceOnly):
    def check(self, training: TrainingFacts) -> str | None:
        raise TypeError("what?")


class CheckNumber(SourceOnly):
    def check(self, training: TrainingFacts) -> Any:
        return 5


class InitRaises(SourceOnly):
    def __init__(self, config: Any, task: Any) -> None:
        raise TypeError("no")


class StepRaises(SourceOnly):
    def step(self, nets: Any, source: Any, target: Any, backward: Any) -> dict[str, Tensor]:
        return {"loss": torch.zeros(2) @ torch.zeros(3)}


class StepReturnsNothing(SourceOnly):
    def step(self, nets: Any, source: Any, target: Any, backward: Any) -> Any:
        super().step(nets, source, target, backward)


class StepReturnsNumbers(SourceOnly):
    def step(self, nets: Any, source: Any, target: Any, backward: Any) -> Any:
        losses = super().step(nets, source, target, backward)
        return {name: float(loss) for name, loss in losses.items()}


class StepReturnsImages(SourceOnly):
    def step(self, nets: Any, source: Any, target: Any, backward: Any) -> Any:
        super().step(nets, source, target, backward)
        return {"loss": source.image}


class StepReturnsNoLoss(SourceOnly):
    def step(self, nets: Any, source: Any, target: Any, backward: Any) -> Any:
        super().step(nets, source, target, backward)
        return {}


class OddKind(Stage):
    outputs = {"x": "banana"}  # noqa: RUF012


class OutputsList(Stage):
    outputs = ["checkpoint"]  # noqa: RUF012


class DerivedFromNothing(Stage):
    derived_from = "nothing"


class ReferencesRaise(Stage):
    def references(self) -> list[Reference]:
        raise KeyError("x")


class ReferencesText(Stage):
    def references(self) -> Any:
        return ["source"]


class CheckFails(Stage):
    def check(self, context: Any, place: str) -> None:
        raise ZeroDivisionError

    def run(self, work: Any) -> dict[str, Any]:
        return {}


class LeavesNothing(Stage):
    outputs = {"checkpoint": "checkpoint"}  # noqa: RUF012

    def run(self, work: Any) -> dict[str, Any]:
        return {}


class RunRaises(Stage):
    def run(self, work: Any) -> dict[str, Any]:
        raise ZeroDivisionError("by hand")
