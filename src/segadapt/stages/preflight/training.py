"""What can be found wrong about a training stage."""

from __future__ import annotations

from pydantic import ValidationError

from segadapt.classes import classes_of
from segadapt.config import PixelSplitStage, TrainStage
from segadapt.data.transforms import scaled_size
from segadapt.errors import SegadaptError
from segadapt.methods.base import Method, find_method
from segadapt.models.digits import SIDES
from segadapt.stages.context import StageContext
from segadapt.stages.preflight.classes import domain_behind, model_behind
from segadapt.stages.preflight.images import check_one_size, open_images
from segadapt.stages.train import build_method

SMALLEST_FOR_DISCRIMINATOR = 32
"""Five convolutions of stride 2 leave nothing of a smaller map."""


def check_method(config: TrainStage, place: str) -> type[Method]:
    method = find_method(config.method["name"])
    try:
        built = build_method(config, classes_of(2), None)
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(str(x) for x in problem["loc"])
        known = ", ".join(method.Config.model_fields)
        message = (
            f"unknown key; {config.method['name']} has {known}"
            if problem["type"] == "extra_forbidden"
            else problem["msg"]
        )
        raise SegadaptError(f"{place}.method.{key}: {message}") from error
    if built.wants_class_prior != (config.class_prior is not None):
        raise SegadaptError(
            f"{place}.class_prior: names the output of a class_prior stage if, and only if, "
            f"the settings of method {config.method['name']} have class_prior: "
            + ("it is missing" if config.class_prior is None else "they have not")
        )
    return method


def check_train(
    context: StageContext, config: TrainStage, method: type[Method], place: str, devices: int
) -> None:
    if method.uses_target and config.target is None:
        raise SegadaptError(
            f"{place}.target: is required by method {config.method['name']}; name a target domain"
        )
    maker = context.recipe.stages.get(config.source.partition(".")[0])
    if method.uses_domain_index and not isinstance(maker, PixelSplitStage):
        raise SegadaptError(
            f"{place}.source: {config.source!r} does not say how hard each pixel is; method "
            f"{config.method['name']} trains on the labels of a pixel_split stage (STAGE.labels)"
        )
    if method.needs_two_classifiers and config.model.heads not in ("sum", "ancillary"):
        raise SegadaptError(
            f"{place}.model.heads: method {config.method['name']} needs two classifiers whose sum "
            f"is the prediction, not {config.model.heads}; set heads to ancillary (or sum)"
        )
    if method.starts_from_trained and config.start_from is None:
        raise SegadaptError(
            f"{place}.start_from: is required by method {config.method['name']}; name a checkpoint "
            "trained on the source"
        )
    if method.uses_domain_index and config.jitter is not None:
        raise SegadaptError(
            f"{place}.jitter: what comes in from outside an image is neither easy nor hard, and "
            f"method {config.method['name']} needs to know of every pixel; leave jitter out"
        )
    check_shared(config.batch_size, devices, place)
    open_images(context, config.source, labelled=True)
    if method.uses_target and config.target is not None:
        open_images(context, config.target, labelled=False)
    for reference in (config.source, config.target):
        if reference is None:
            continue
        name = domain_behind(context, reference)
        domain = context.recipe.domains[name]
        if domain.size is not None:
            smallest = min(domain.size)
            if config.scales != (1.0, 1.0):
                smallest = min(scaled_size(domain.size, config.scales[0]))
            if smallest < SMALLEST_FOR_DISCRIMINATOR and config.model.backbone not in SIDES:
                raise SegadaptError(
                    f"domains.{name}.size: {list(domain.size)} is too small; at least "
                    f"{SMALLEST_FOR_DISCRIMINATOR} pixels are needed each way, at the smallest of "
                    f"the scales {list(config.scales)} too"
                )
        elif name == reference and domain.drawn_by is None and config.batch_size > 1:
            check_one_size(context, name, place)


def check_shared(batch_size: int, devices: int, place: str) -> None:
    if batch_size % devices:
        raise SegadaptError(
            f"{place}.batch_size: {batch_size} images cannot be shared by {devices} processes; "
            "make it a multiple"
        )


def check_start(context: StageContext, config: TrainStage, place: str) -> None:
    """Weights to start from must be those of the same network, fed in the same way."""
    assert config.start_from is not None
    found = model_behind(context, config.start_from)
    ours, theirs = (x.model_dump(exclude={"weights", "batch_norm"}) for x in (config.model, found))
    for key, value in ours.items():
        if value != theirs[key]:
            raise SegadaptError(
                f"{place}.start_from: the model of {config.start_from!r} has {key} "
                f"{theirs[key]!r}, this stage's has {value!r}; they must be equal"
            )
