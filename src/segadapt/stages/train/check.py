"""What can be found wrong about a training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from segadapt.base.errors import SegadaptError, unforeseen
from segadapt.config.mixed import weights_of
from segadapt.data.transforms import scaled_size
from segadapt.methods.base import TrainingFacts, find_method
from segadapt.models.build import check_weights
from segadapt.models.heads.base import find_head
from segadapt.models.trial import Trial, try_network
from segadapt.models.trunks.base import find_trunk
from segadapt.stages.context import StageContext
from segadapt.stages.images import check_own_sizes, check_shared, check_smallest, exists
from segadapt.stages.networks import training_bytes
from segadapt.stages.train.check_boxes import check_boxes
from segadapt.stages.train.config import TrainStage
from segadapt.stages.train.method import build_method

T = TypeVar("T")

ANY_SIZE = (96, 128)
"""(height, width) of the image that a network is tried on, where those of a domain vary."""
PASSES = 3
"""Forward passes that a training's look at an image costs, the backward pass included."""
SMALLEST_FOR_DISCRIMINATOR = 32
"""Five convolutions of stride 2 leave nothing of a smaller map."""


def check(stage: TrainStage, context: StageContext, place: str) -> None:
    """See :meth:`segadapt.config.stage.Stage.check`."""
    check_boxes(stage, context, place)
    _check_images(stage, context, place)
    _check_mixture(stage, context, place)
    _check_method(stage, context, place)
    _check_crop(stage, context, place)
    check_shared(stage.batch_size, context.compute.devices, place)
    for reference in stage.references():
        if context.is_images(reference.name):
            _check_size(stage, context, reference.name, place)
    _check_network(stage, context, place)
    if stage.shard:
        _check_shard(stage, context, place)
    if stage.start_from is not None:
        _check_start(stage, context, stage.start_from, place)
    else:
        _at(place, check_weights, stage.model, context.data_root)


def _check_mixture(stage: TrainStage, context: StageContext, place: str) -> None:
    """Domains that share batches must fit each other."""
    for key, names in (("source", list(stage.sources)), ("target", list(stage.targets))):
        if len(names) < 2:
            continue
        indexed = {context.kind_of(name) == "indexed_labels" for name in names}
        if len(indexed) > 1:
            raise SegadaptError(
                f"{place}.{key}: a pixel split's labels say how hard each pixel is, others do not; "
                "name either alone"
            )
        domains = [context.recipe.domains[context.domain_behind(name)] for name in names]
        sizes = {domain.size for domain in domains}
        if len(sizes) > 1 and stage.crop is None and stage.batch_size > 1:
            shown = " and ".join(str(list(size) if size else "their own") for size in sizes)
            raise SegadaptError(
                f"{place}.{key}: {' and '.join(names)} share batches, but their sizes (height, "
                f"width) are {shown}; give their domains one size, or set a crop"
            )
    if stage.rare_classes is not None:
        counted = list(weights_of(stage.rare_classes.counts))
        found = [str(getattr(context.stage_of(name), "source", None)) for name in counted]
        wanted = [context.labels_behind(name) for name in stage.sources]
        if found != wanted and found != list(stage.sources):
            raise SegadaptError(
                f"{place}.rare_classes.counts: must name the counts of "
                f"{' and '.join(wanted)}, one for each source in their order, not of "
                f"{' and '.join(found)}"
            )


def _check_crop(stage: TrainStage, context: StageContext, place: str) -> None:
    """Images must hold a crop, at the smallest of the scales too."""
    if stage.rare_classes is not None and context.classes_behind(stage.first_source).whole_image:
        raise SegadaptError(f"{place}.rare_classes: these images have one label each; leave it out")
    if stage.crop is None:
        return
    if context.classes_behind(stage.first_source).whole_image:
        raise SegadaptError(f"{place}.crop: these images have one label each; leave it out")
    for reference in stage.references():
        if not context.is_images(reference.name) or not reference.learned:
            continue  # of validation: these are seen whole
        name = context.domain_behind(reference.name)
        size = context.recipe.domains[name].size
        if size is None:
            check_smallest(context, name, stage.crop.size, place)
            continue
        if stage.scales != (1.0, 1.0):
            size = scaled_size(size, stage.scales[0])
        if size[0] < stage.crop.size[0] or size[1] < stage.crop.size[1]:
            raise SegadaptError(
                f"{place}.crop: {list(stage.crop.size)} is larger than the images of domain "
                f"{name!r}, {list(size)} (height, width) at the smallest scale; make it smaller, "
                "or the domain's size larger"
            )


def _check_method(stage: TrainStage, context: StageContext, place: str) -> None:
    name = stage.method["name"]
    try:
        misfit = build_method(stage, context.classes_behind(stage.first_source), None).check(
            _facts(stage, context)
        )
    except Exception as error:  # of a user's own method: it may be anything
        raise SegadaptError(
            f"{place}.method: {name} cannot be built or checked ({unforeseen(error)})"
        ) from error
    if misfit is None:
        return
    if not isinstance(misfit, str):
        raise SegadaptError(
            f"{place}.method: check of {name} must give None or a sentence, not {misfit!r}"
        )
    raise SegadaptError(f"{place}.{misfit}")


def written_bytes(stage: TrainStage, context: StageContext) -> int:
    """What a training leaves and keeps."""
    return training_bytes(
        _try(stage, context, stage.first_source, stage.crop is not None).parameters
    )


def _facts(stage: TrainStage, context: StageContext) -> TrainingFacts:
    return TrainingFacts(
        method=stage.method["name"],
        target=" and ".join(stage.targets) or None,
        start_from=stage.start_from,
        class_prior=stage.class_prior,
        jitter=stage.jitter is not None,
        source=" and ".join(stage.sources),
        domain_index=all(context.kind_of(x) == "indexed_labels" for x in stage.sources),
        whole_images=context.classes_behind(stage.first_source).whole_image,
        boxes=context.classes_behind(stage.first_source).boxes,
        heads=stage.model.heads,
        sums_two=find_head(stage.model.heads).is_sum,
        mask_token=bool(getattr(stage.model, "mask_token", False)),
        one_size=stage.crop is not None or _one_size(stage, context),
        two_resolutions=stage.model.detail is not None,
    )


def _one_size(stage: TrainStage, context: StageContext) -> bool:
    """Whether images of both domains come in one size; where they keep their own it is not known
    before they are read, and taken for granted."""
    names = [context.domain_behind(name) for name in (*stage.sources, *stage.targets)]
    sizes = {context.recipe.domains[name].size for name in names}
    return len(sizes) == 1 and stage.scales == (1.0, 1.0)


def _check_network(stage: TrainStage, context: StageContext, place: str) -> None:
    """Trunk and head must go together, and take the images."""
    for reference in stage.references():
        if context.is_images(reference.name):
            cropped = stage.crop is not None and reference.learned
            tried = _at(place, _try, stage, context, reference.name, cropped)
            if stage.checkpoint_activations and not tried.recomputable:
                raise SegadaptError(
                    f"{place}.checkpoint_activations: {stage.model.backbone} has no blocks that "
                    "could be computed again; leave it out, or choose a ResNet or a network of timm"
                )


def _check_shard(stage: TrainStage, context: StageContext, place: str) -> None:
    """Several processes can share a ViT's blocks, under methods that leave weights alone."""
    method = stage.method["name"]
    if context.compute.devices == 1:
        raise SegadaptError(
            f"{place}.shard: shares weights among processes, and there is one; give --devices 2 "
            "or more, start the run with torchrun or srun, or leave it out"
        )
    if not find_method(method).shardable:
        raise SegadaptError(
            f"{place}.shard: method {method} needs whole weights in every process; leave it out, "
            "or choose another method"
        )
    if stage.checkpoint_activations:
        raise SegadaptError(
            f"{place}.shard: weights that are shared are not there when activations are computed "
            "again; leave one of shard and checkpoint_activations out"
        )
    cropped = stage.crop is not None
    if not _try(stage, context, stage.first_source, cropped).blocks:
        raise SegadaptError(
            f"{place}.shard: {stage.model.backbone} has no blocks whose weights processes could "
            "share; leave it out, or choose a ViT of timm"
        )


def _at(place: str, function: Callable[..., T], *arguments: Any) -> T:
    """Call it; what it says of ``model`` is said of the stage's."""
    try:
        return function(*arguments)
    except SegadaptError as error:
        if not str(error).startswith("model"):
            raise
        raise SegadaptError(f"{place}.{error}") from error


def seconds(stage: TrainStage, context: StageContext) -> float:
    """See :meth:`segadapt.config.stage.Stage.seconds`."""
    each = 0.0
    for reference in stage.references():
        if context.is_images(reference.name) and reference.learned:
            shown = _try(stage, context, reference.name, stage.crop is not None)
            each += shown.seconds * PASSES * stage.batch_size / context.compute.devices
    return each * stage.iterations


def _try(stage: TrainStage, context: StageContext, reference: str, cropped: bool) -> Trial:
    """Show the network an image as it will see it."""
    number = len(context.classes_behind(stage.first_source).names)
    side = find_trunk(stage.model.backbone).side
    size = context.recipe.domains[context.domain_behind(reference)].size
    if cropped and stage.crop is not None:
        size = stage.crop.size
    if side is not None:
        size = (side, side)  # others are told where sides are checked
    batch_size = stage.batch_size // context.compute.devices
    return try_network(stage.model, number, size or ANY_SIZE, batch_size)


def _check_images(stage: TrainStage, context: StageContext, place: str) -> None:
    """A network must be for the kind of labels that the images have."""
    trunk = find_trunk(stage.model.backbone)
    backbone = stage.model.backbone
    whole = context.classes_behind(stage.first_source).whole_image
    if whole != (trunk.side is not None):
        kind = (
            "every pixel, but these images have one label each"
            if whole
            else "one label for an image, but these have one for every pixel"
        )
        raise SegadaptError(
            f"{place}.model.backbone: {backbone} predicts {kind}; choose another backbone"
        )
    if whole and stage.scales != (1.0, 1.0):
        raise SegadaptError(f"{place}.scales: {backbone} takes images of one size; leave it out")
    least = trunk.least_batch * context.compute.devices
    if trunk.least_batch > 1 and stage.batch_size < least:
        raise SegadaptError(
            f"{place}.batch_size: {backbone} needs {trunk.least_batch} images or more in each "
            f"process, as of its batch norm; set it to {least} or more"
        )


def _check_size(stage: TrainStage, context: StageContext, reference: str, place: str) -> None:
    """Images must be large enough, and of one size where they make up batches."""
    name = context.domain_behind(reference)
    domain = context.recipe.domains[name]
    if domain.size is not None:
        smallest = min(domain.size)
        if stage.scales != (1.0, 1.0):
            smallest = min(scaled_size(domain.size, stage.scales[0]))
        whole = find_trunk(stage.model.backbone).side is not None
        if smallest < SMALLEST_FOR_DISCRIMINATOR and not whole:
            raise SegadaptError(
                f"domains.{name}.size: {list(domain.size)} is too small; at least "
                f"{SMALLEST_FOR_DISCRIMINATOR} pixels are needed each way, at the smallest of "
                f"the scales {list(stage.scales)} too"
            )
    elif name == reference and exists(context, name):
        check_own_sizes(context, name, place, stage.batch_size, SMALLEST_FOR_DISCRIMINATOR)


def _check_start(stage: TrainStage, context: StageContext, start: str, place: str) -> None:
    """Weights to start from must be those of the same network, fed in the same way."""
    found = context.network_behind(start).model_dump()
    free = {"weights", *find_trunk(stage.model.backbone).training_only}
    for key, value in stage.model.model_dump(exclude=free).items():
        if found.get(key) != value:
            raise SegadaptError(
                f"{place}.start_from: the model of {start!r} has {key} "
                f"{found.get(key)!r}, this stage's has {value!r}; they must be equal"
            )
