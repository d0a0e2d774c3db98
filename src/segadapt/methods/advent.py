"""AdvEnt: adversarial entropy minimisation (Vu et al., ADVENT, CVPR 2019, Sec. 3.2)."""

from __future__ import annotations

from torch import Tensor

from segadapt.losses.entropy_of_scores import self_information
from segadapt.methods.adaptsegnet import AdaptSegNet
from segadapt.methods.config.advent import AdvEntConfig


class AdvEnt(AdaptSegNet):
    """Discriminators see weighted self-information maps, so fooling them lowers target entropy.

    The objective (Eq. 7 to 9) and its training are AdaptSegNet's; only the maps differ.
    """

    Config = AdvEntConfig

    def domain_map(self, logit: Tensor) -> Tensor:
        """I = -p log p (Sec. 3.2) over log C, as released: (N, C, H, W) -> (N, C, H, W)."""
        return self_information(logit)
