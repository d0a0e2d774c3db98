"""Score maps at image size, and what is read off them, in memory that is used again.

All classes of all pixels are 160 MB for an image of 2048x1024. Asked for anew for each image, that
takes a CPU's kernel four times as long to hand out as the enlarging itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

ROWS = 16
"""Of an image, whose probabilities a CPU works out at a time: they stay in its cache."""


class Enlarged:
    """Enlarges score maps one after the other."""

    def __init__(self) -> None:
        self._memory = torch.empty(0)

    @torch.inference_mode()
    def scores(self, logits: Tensor, size: tuple[int, int] | torch.Size) -> Tensor:
        """The same as :func:`segadapt.tasks.segmentation.upsample`, until the next call.

        Args:
            logits: (N, C, h, w) class scores.
            size: (height, width).

        Returns:
            (N, C, height, width), float32 or float64, classes side by side in memory where they
            are in ``logits``.
        """
        if logits.dtype not in (torch.float32, torch.float64):
            logits = logits.float()
        number, classes = logits.shape[:2]
        height, width = size
        wanted = math.prod((number, classes, height, width))
        memory = self._memory
        alike = memory.dtype == logits.dtype and memory.device == logits.device
        if memory.numel() < wanted or not alike:
            self._memory = memory = torch.empty(wanted, dtype=logits.dtype, device=logits.device)
        if logits.is_contiguous(memory_format=torch.channels_last):
            found = memory[:wanted].view(number, height, width, classes).permute(0, 3, 1, 2)
        else:
            found = memory[:wanted].view(number, classes, height, width)
        torch.ops.aten.upsample_bilinear2d.out(
            logits, [height, width], align_corners=True, out=found
        )
        return found

    @torch.inference_mode()
    def most_probable(self, logits: Tensor, size: tuple[int, int] | torch.Size) -> Tensor:
        """Classes (N, height, width), int64, of the largest scores at ``size``."""
        # Classes lie side by side in memory: argmax over them is then eight times as fast on a CPU.
        # (A copy in any case: one image's slice has strides that other code takes for slow ones.)
        return self.scores(logits.clone(memory_format=torch.channels_last), size).argmax(dim=1)

    @torch.inference_mode()
    def read(
        self,
        logits: Tensor,
        size: tuple[int, int] | torch.Size,
        read: Callable[[Tensor], Sequence[Tensor]],
    ) -> list[Tensor]:
        """All maps that ``read`` gives of class probabilities at ``size``.

        A CPU works them out a few rows at a time.

        Args:
            logits: (N, C, h, w) class scores.
            size: (height, width).
            read: gives maps (N, rows, width), or values (N, rows), of probabilities
                (N, C, rows, width): each row's from its own alone.

        Returns:
            Maps (N, height, width), or values (N, height), as many as ``read`` gives.
        """
        # Class by class in memory: softmax is then three times as fast on a CPU, in strips five.
        scores = self.scores(logits.contiguous(), size)
        rows = ROWS if scores.device.type == "cpu" else max(1, scores.shape[2])
        strips = [read(strip.softmax(dim=1)) for strip in scores.split(rows, dim=2)]
        return [torch.cat(parts, dim=1) for parts in zip(*strips, strict=True)]
