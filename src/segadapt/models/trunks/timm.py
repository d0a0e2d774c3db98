"""timm's networks (Wightman; extra ``timm``): convolutional ones, pyramids, and ViTs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from segadapt.base.errors import SegadaptError, first_line
from segadapt.base.transfer import sent
from segadapt.models.layers.batch_norm import FreezesBatchNorm
from segadapt.models.trunks.base import Trunk
from segadapt.models.trunks.config.timm import TimmConfig

_ANY_SIZE: tuple[dict[str, Any], ...] = (
    {"dynamic_img_size": True},
    {"strict_img_size": False, "dynamic_mask": True},
    {"strict_img_size": False},
    {},
)
"""How families let go of the one size of image that they are made for."""


class Timm(FreezesBatchNorm, Trunk):
    """Networks of timm that give maps, as timm:convnext_tiny; ViTs.

    Entry names are timm's. A ViT gives one map, of the last block's tokens after the last norm;
    others the map of each of their stages.
    """

    Config = TimmConfig
    library = "timm"
    training_only = frozenset({"batch_norm", "output_stride", "drop_path"})

    def __init__(self, name: str, config: TimmConfig) -> None:
        super().__init__()
        self.name = name.partition(":")[2]
        self.net, self._made_with = _build(self.name, config)
        if not hasattr(self.net, "forward_intermediates"):
            raise SegadaptError(f"model.backbone: timm's {self.name} does not give its maps")
        info = self.net.feature_info
        stages = info if isinstance(info, list) else info.get_dicts()
        # All maps of a ViT have one stride; the last one knows what the others do.
        self._tokens = len({stage["reduction"] for stage in stages}) == 1 and len(stages) > 1
        first = len(stages) - 1 if self._tokens else 0
        self._indices = list(range(first, len(stages)))
        self.channels = tuple(stage["num_chs"] for stage in stages[first:])
        self.strides = tuple(stage["reduction"] for stage in stages[first:])
        self.middle = None if self._tokens else len(stages) - 2
        self.multiple = max(self.strides)
        self.net.prune_intermediate_layers(
            self._indices, prune_norm=not self._tokens, prune_head=True
        )
        if config.mask_token:
            self._add_mask_token()
        self.freezes = config.batch_norm == "frozen"
        if self.freezes:
            norms = [module for module in self.modules() if isinstance(module, nn.BatchNorm2d)]
            if not norms:
                raise SegadaptError(
                    f"model.batch_norm: timm's {self.name} has no batch norm; leave it out"
                )
            for norm in norms:
                norm.requires_grad_(False)

    def _add_mask_token(self) -> None:
        """Zeros where the weights file has none, as in VFM-UDA's program."""
        if not self._tokens or not hasattr(self.net, "patch_embed"):
            raise SegadaptError(
                f"model.mask_token: timm's {self.name} does not look at an image as patches of one "
                "size; leave it out, or choose a ViT"
            )
        self.mask_token = nn.Parameter(torch.zeros(1, self.channels[-1]))
        self.token_side = self.multiple

    @contextmanager
    def hiding(self, hidden: Tensor) -> Iterator[None]:
        """See :meth:`Trunk.hiding`."""

        def replaced(_module: nn.Module, _inputs: Any, tokens: Tensor) -> Tensor:
            where = sent(hidden, tokens.device).reshape(*tokens.shape[:-1], 1)
            return torch.where(where, self.mask_token.to(tokens.dtype), tokens)

        with self.net.patch_embed.register_forward_hook(replaced):
            yield

    def forward(self, image: Tensor) -> list[Tensor]:
        """See :meth:`Trunk.forward`."""
        exporting = torch.compiler.is_exporting()
        with _padding_of_whole_strides() if exporting else nullcontext():
            maps: list[Tensor] = self.net.forward_intermediates(
                image,
                indices=self._indices,
                norm=self._tokens,
                output_fmt="NCHW",
                intermediates_only=True,
            )
        return maps

    def decays(self, name: str, parameter: nn.Parameter) -> bool:
        """All but norms, biases, and what timm says of the network: embeddings, tokens."""
        spared = self.net.no_weight_decay() if hasattr(self.net, "no_weight_decay") else ()
        if name == "mask_token":
            return False
        return parameter.ndim > 1 and name.removeprefix("net.") not in spared

    def layers_above(self, name: str) -> int:
        """See :meth:`Trunk.layers_above`: a ViT's blocks, and its embeddings below them."""
        blocks = self.blocks()
        if not blocks:
            return 0
        inner = name.removeprefix("net.")
        if inner.startswith("blocks."):
            return len(blocks) - int(inner.split(".")[1])
        return 0 if inner.startswith(("norm", "fc_norm")) else len(blocks) + 1

    def blocks(self) -> Sequence[nn.Module]:
        """A ViT's; see :meth:`Trunk.blocks`."""
        return list(getattr(self.net, "blocks", ())) if self._tokens else ()

    def rename_pretrained(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """timm's names lie below ``net``.

        SegFormer's file of MiT-B5 fits PVTv2-b5: they are one network (smaller ones are not).
        """
        if "patch_embed1.proj.weight" in tensors and self.name.startswith("pvt_v2"):
            from timm.models.pvt_v2 import checkpoint_filter_fn

            tensors = checkpoint_filter_fn(tensors, self.net)  # type: ignore[no-untyped-call]
        known = self.state_dict().keys()
        return {k if k in known else f"net.{k}": v for k, v in tensors.items()}

    def never_pretrained(self) -> tuple[str, ...]:
        """timm leaves the mask token out of its files; DINOv2's own have it."""
        return ("mask_token",)

    def fetch(self) -> dict[str, Tensor]:
        """See :meth:`Trunk.fetch`."""
        net = _library().create_model(self.name, pretrained=True, **self._made_with)
        state: dict[str, Tensor] = net.state_dict()
        return state


@contextmanager
def _padding_of_whole_strides() -> Iterator[None]:
    """TensorFlow's padding as the constant it is for sides that are multiples of the strides.

    timm works it out from the map's size; traced for all sizes, that is a term that grows with
    every layer, and tracing takes minutes.
    """
    from timm.layers import padding

    def constant(x: int, kernel_size: int, stride: int, dilation: int) -> int:
        return max((kernel_size - 1) * dilation + 1 - stride, 0)

    before = padding.get_same_padding
    padding.get_same_padding = constant
    try:
        yield
    finally:
        padding.get_same_padding = before


def _build(name: str, config: TimmConfig) -> tuple[Any, dict[str, Any]]:
    """timm's network with random weights for any size of image, and what it was made with."""
    timm = _library()
    if not timm.is_model(name):  # a tag of its weights may follow the name
        raise SegadaptError(
            f"model.backbone: timm has no network {name!r}; "
            "`python -c 'import timm; print(timm.list_models())'` lists them"
        )
    fixed: dict[str, Any] = {"num_classes": 0}
    if config.output_stride is not None:
        fixed["output_stride"] = config.output_stride
    if config.drop_path:
        fixed["drop_path_rate"] = config.drop_path
    for options in _ANY_SIZE:
        settings = {**fixed, **options}
        try:
            return timm.create_model(name, pretrained=False, **settings), settings
        except Exception as error:  # each family refuses what it does not know in its own way
            reason = first_line(error)
    asked = [key for key in ("output_stride", "drop_path") if getattr(config, key)]
    if not asked:
        raise SegadaptError(f"model.backbone: timm's {name} cannot be built ({reason})")
    raise SegadaptError(
        f"model.{asked[0]}: timm's {name} cannot be built with {' and '.join(asked)} ({reason}); "
        "leave it out"
    )


def _library() -> Any:
    try:
        import timm
    except ImportError as error:
        raise SegadaptError(
            "model.backbone: timm is not installed; install the extra: pip install 'segadapt[timm]'"
        ) from error
    return timm
