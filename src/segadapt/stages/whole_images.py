"""Networks that see an image as a whole go with images of their size, which have one label."""

from __future__ import annotations

from segadapt.base.errors import SegadaptError
from segadapt.config.model import ModelConfig
from segadapt.config.stage import Stage
from segadapt.models.trunks.base import find_trunk
from segadapt.stages.boxes import require_no_boxes
from segadapt.stages.context import StageContext


def check_sides(stage: Stage, context: StageContext, place: str) -> None:
    """Every network that takes images of one side only must be shown such.

    Raises:
        SegadaptError: a domain's images have another size.
    """
    shown = [r.name for r in stage.references() if r.shown and context.is_images(r.name)]
    for network in stage.networks(context) if shown else ():
        for images in shown:
            check_side(network, images, context, place)


def check_side(
    network: ModelConfig,
    images: str,
    context: StageContext,
    place: str,
    crop: tuple[int, int] | None = None,
) -> None:
    """The same of one network and one reference to images, of which it sees a ``crop``."""
    side = find_trunk(network.backbone).side
    if side is None:
        return
    name = context.domain_behind(images)
    size = context.recipe.domains[name].size
    if (crop or size) != (side, side):
        found = "none" if size is None and crop is None else list(crop or size or ())
        raise SegadaptError(
            f"{place}: {network.backbone} takes images of [{side}, {side}], those of domain "
            f"{name!r} come as {found}; set domains.{name}.size to [{side}, {side}]"
            + (" and leave crop out" if crop else "")
        )


def require_pixels(stage: Stage, context: StageContext, place: str) -> None:
    """A stage that takes images apart needs networks that see pixels.

    Raises:
        SegadaptError: one sees an image as a whole, or finds boxes.
    """
    for reference in stage.references():
        require_no_boxes(reference.name, reference.key, context, place)
    for network in stage.networks(context):
        if find_trunk(network.backbone).side is not None:
            raise SegadaptError(
                f"{place}: {network.backbone} gives one label for an image: there are no pixels to "
                "split, and no views at other scales or through windows"
            )
