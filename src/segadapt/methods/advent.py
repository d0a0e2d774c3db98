"""AdvEnt: adversarial entropy minimisation (Vu et al., ADVENT, CVPR 2019, Sec. 3.2)."""

from __future__ import annotations

from torch import Tensor

from segadapt.losses.entropy import weighted_self_information
from segadapt.methods.adaptsegnet import AdaptSegNet
from segadapt.methods.config.advent import AdvEntConfig


class AdvEnt(AdaptSegNet):
    """Discriminators see weighted self-information maps, so fooling them lowers target entropy.

    The objective (Eq. 7 to 9) and its training are AdaptSegNet's; only the maps differ.
    """

    Config = AdvEntConfig

    def domain_map(self, probability: Tensor) -> Tensor:
        """I = -p log p (Sec. 3.2) over log C, as released: (N, C, H, W) -> (N, C, H, W)."""
        return weighted_self_information(probability)
