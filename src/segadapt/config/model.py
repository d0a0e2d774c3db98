"""A segmenter: its trunk, its head and its starting weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from segadapt.base.errors import SegadaptError
from segadapt.base.parts import HEADS, TRUNKS, Room
from segadapt.base.section import Section, filled, problem_at
from segadapt.config.values import InputFormat, Size


class Detail(Section):
    """HRDA (Hoyer et al., ECCV 2022): all of the image in small, windows of it as they are."""

    window: Size
    """(height, width) of what is seen in full resolution."""
    context: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Factor on the size of the whole."""
    overlap: Annotated[float, Field(ge=0, lt=1)] = 0.5
    """Share of a window that it has in common with the next, where windows cover an image."""


class ModelConfig(Section):
    """A segmenter, made of a trunk and a head, and its starting weights.

    Further keys are settings of the trunk and of the head, such as ``batch_norm`` of ResNets and
    ``dilations`` of DeepLab-v2's classifiers; all of them are there after validation.
    """

    model_config = ConfigDict(extra="allow")

    backbone: str = "resnet101"
    """The trunk: a name of ours, ``timm:NAME``, or ``package.module:Class``."""
    heads: str = "multi_level"
    """The head: ``single``, one classifier on the last features; ``multi_level``, an auxiliary one
    on the middle features as well (ADVENT, Sec. 4.1); ``sum``, two on the last features, whose sum
    is the prediction, as CLAN's network has them; ``ancillary``, the same with CIRN's ancillary
    classifier as the second; others see ``segadapt list models``; or ``package.module:Class``."""
    weights: str = "torchvision"
    """``torchvision``, ``timm`` (of their own networks), ``none``, or a file (relative to the data
    root): weights of the trunk in torchvision's, timm's or our names, or one of the published
    ``Scale.*`` initialisation files."""
    detail: Detail | None = None
    """Look at images in two resolutions; the head then needs to be one of a single level, and the
    second level is the window's."""
    input_format: InputFormat = "bgr_mean"
    """``bgr_mean``: BGR 0..255 minus the Caffe mean (published setting). ``rgb_mean_std``: RGB 0..1
    normalised as torchvision's ImageNet weights expect. ``rgb_signed``: RGB -1..1, as CyCADA's
    digit classifiers take it, and networks with a mean and deviation of 0.5. ``rgb_mean``: RGB
    0..255 minus the Caffe mean, as torchvision's SSD-300 and its VGG-16 do. ``rgb``: RGB 0..1."""

    @model_validator(mode="before")
    @classmethod
    def _with_settings_of_trunk_and_head(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        fields = cls.model_fields
        names = {key: values.get(key, fields[key].default) for key in ROOMS}
        if not all(isinstance(name, str) for name in names.values()):
            return values  # the fields' own validation says so
        sections = {key: _section(key, name) for key, name in names.items()}
        owners = {"the model": set(fields)}
        for key, section in sections.items():
            for owner, taken in owners.items():
                if both := taken & set(section.model_fields):
                    raise problem_at(
                        min(both),
                        f"{owner} and {names[key]} both have a setting of this name; rename one",
                    )
            owners[names[key]] = set(section.model_fields)
        known = {k for section in sections.values() for k in section.model_fields}
        own = {key: value for key, value in values.items() if key in fields}
        for key in values.keys() - fields.keys() - known:
            has = ", ".join([*fields, *sorted(known)])
            owner = f"a model of {names['backbone']} and {names['heads']}"
            raise problem_at(str(key), f"unknown key; {owner} has {has}")
        for key, section in sections.items():
            given = {k: v for k, v in values.items() if k in section.model_fields}
            own |= filled(section, given, f"{ROOMS[key].kind} {names[key]}")
        return own

    @property
    def weights_file(self) -> str | None:
        """The file that starting weights come from, relative to the data root."""
        return None if self.weights in ("none", *LIBRARIES) else self.weights

    def section(self, part: Literal["backbone", "heads"]) -> Section:
        """The settings of the trunk or of the head."""
        kind = ROOMS[part].settings(getattr(self, part))
        return kind(**{key: getattr(self, key) for key in kind.model_fields})


LIBRARIES = ("torchvision", "timm")
"""Those whose own weights can be asked for."""
ROOMS: dict[str, Room] = {"backbone": TRUNKS, "heads": HEADS}


def without_leftovers(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a model, without those that another trunk or head of ``above`` does not have."""
    kept = dict(below)
    fields = ModelConfig.model_fields
    before = {key: below.get(key, fields[key].default) for key in ROOMS}
    after = {key: above.get(key, before[key]) for key in ROOMS}
    if before == after:
        return kept
    try:
        known = {k for key, room in ROOMS.items() for k in room.settings(after[key]).model_fields}
        gone = {k for key, room in ROOMS.items() for k in room.settings(before[key]).model_fields}
    except (SegadaptError, AttributeError, TypeError):
        return kept  # one of the names is none, as the validation will say
    return {key: value for key, value in kept.items() if key in known or key not in gone}


def _section(key: str, name: str) -> type[Section]:
    try:
        return ROOMS[key].settings(name)
    except SegadaptError as error:
        message = str(error).removeprefix(f"{ROOMS[key].kind} {name}: ")
        raise problem_at(key, f"{name!r}: {message}") from error
