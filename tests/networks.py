"""Small networks for tests, and the names that the released programs give to their entries."""

from __future__ import annotations

from torch import Tensor, nn

from segadapt.config import ModelConfig
from segadapt.models.build import build_segmenter
from segadapt.models.heads.base import find_head
from segadapt.models.segmenter import Segmenter
from segadapt.models.trunks.resnet import ResNet


def squeezenet(num_classes: int, heads: str = "multi_level", **settings: object) -> Segmenter:
    """The light network with random weights."""
    config = ModelConfig(backbone="squeezenet1_0", heads=heads, weights="none", **settings)
    return build_segmenter(config, num_classes)


def resnet(
    name: str,
    num_classes: int,
    heads: str = "multi_level",
    blocks: tuple[int, ...] | None = None,
    **settings: object,
) -> Segmenter:
    """A ResNet, of so many ``blocks`` per layer where these are given."""
    config = ModelConfig(backbone=name, heads=heads, weights="none", **settings)
    trunk = ResNet(name, config.section("backbone"), blocks=blocks)
    return Segmenter(trunk, find_head(heads)(config.section("heads"), trunk, num_classes))


def published_name(name: str) -> str:
    """What the released programs call an entry of a segmenter of ours."""
    part, _, rest = name.partition(".")
    if part == "trunk":
        return rest
    classifier, _, entry = rest.partition(".")
    return f"{ {'main': 'layer6', 'aux': 'layer5', 'second': 'layer5'}[classifier] }.{entry}"


def published_state(network: nn.Module) -> dict[str, Tensor]:
    """A network's entries by their published names; those of discriminators are ours."""
    state = network.state_dict()
    if not isinstance(network, Segmenter):
        return state
    return {published_name(name): value for name, value in state.items()}
