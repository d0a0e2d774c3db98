"""From label files to class ids: grey ids, palettes, ids in the first channel, class colours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from segadapt.base.counted import counted
from segadapt.base.errors import SegadaptError
from segadapt.data.class_map import ClassMap, UnknownIds, map_ids
from segadapt.data.paths import FilePath
from segadapt.data.transforms import decoded, opened
from segadapt.losses.segmentation import IGNORE

LOSSY = ("JPEG", "MPO")


def read_label(
    path: FilePath, class_map: ClassMap, first_channel: bool = False
) -> NDArray[np.uint8]:
    """Train ids (height, width) of a label file, 255 to be ignored.

    A file of one channel holds ids, a palette file the indices. One of several channels holds class
    colours, where each of its colours is one that the class map knows; else ids in the first
    channel, where the others are zero, or equal to it, or of 16 bits. What is wholly transparent
    (in files of 8 bits) is ignored.

    Args:
        path: the file.
        class_map: what ids, and colours, mean.
        first_channel: the ids are in the first channel whatever the others hold (SYNTHIA).

    Raises:
        SegadaptError: the file is missing, cannot be decoded, or holds what the map has not.
    """
    image = opened(path, "label", decode=False)
    if first_channel or _sixteen(image):
        return map_ids(read_first_channel(path), class_map, path)
    if image.format in LOSSY:
        raise SegadaptError(
            f"{path}: is a JPEG, whose compression changes class ids and colours; save labels as "
            "PNG, from what the JPEG was made of"
        )
    decoded(image, path, "label")
    if image.mode == "P":
        return _of_palette(image, class_map, path)
    if image.mode in ("LA", "RGBA", "PA"):
        solid = np.array(image.getchannel("A")) > 0
        plain = image.convert({"LA": "L", "RGBA": "RGB", "PA": "P"}[image.mode])
        label = _plain(plain, class_map, path)
        return np.where(solid, label, IGNORE).astype(np.uint8)
    return _plain(image, class_map, path)


def read_ids(path: FilePath) -> NDArray[np.integer]:
    """Stored ids (height, width) of a file of one channel; palette files give their indices.

    Raises:
        SegadaptError: the file is missing, cannot be decoded, or has several channels.
    """
    return _ids(opened(path, "label"), path)


def _ids(image: Image.Image, path: FilePath) -> NDArray[np.integer]:
    ids = np.array(image)
    if ids.ndim != 2:
        raise SegadaptError(
            f"{path}: a label file of this data set must have one channel of class ids, this one "
            f"has {ids.shape[2]} (mode {image.mode}); convert colours to ids first"
        )
    if ids.dtype == np.bool_:
        return ids.astype(np.uint8)
    if not np.issubdtype(ids.dtype, np.integer):
        raise SegadaptError(
            f"{path}: holds floating-point numbers; save class ids as whole numbers of 8 or 16 bits"
        )
    return ids


def _plain(image: Image.Image, class_map: ClassMap, path: FilePath) -> NDArray[np.uint8]:
    """Of an image without transparency and without palette."""
    if image.mode != "RGB" or not class_map.colours:
        return map_ids(_ids(image, path), class_map, path)
    rgb = np.array(image)
    label, unknown = _map_colours(rgb, class_map)
    if not unknown.any():
        return label
    red, green, blue = (rgb[..., k] for k in range(3))
    if not (green.any() or blue.any()) or (
        np.array_equal(red, green) and np.array_equal(red, blue)
    ):
        return map_ids(red, class_map, path)
    colours, counts = np.unique(rgb[unknown], axis=0, return_counts=True)
    most = np.argsort(-counts)[:3]
    told = ", ".join(
        f"{tuple(colours[i].tolist())} at {counted(int(counts[i]), 'pixel')}" for i in most
    )
    raise UnknownIds(
        f"{path}: has {len(colours)} colours that no class of classes.yaml has: {told}; correct "
        "the file, add the colour to ignore_colours, or store class ids in one channel"
    )


def _of_palette(image: Image.Image, class_map: ClassMap, path: FilePath) -> NDArray[np.uint8]:
    indices = np.array(image)
    if not class_map.colours:
        return map_ids(indices, class_map, path)
    # The colours of the palette are looked up, and not those of every pixel.
    every = Image.fromarray(np.arange(256, dtype=np.uint8)[None])
    every.putpalette(image.getpalette() or [])
    train, unknown = _map_colours(np.array(every.convert("RGB"))[0], class_map)
    label: NDArray[np.uint8] = train[indices]
    if unknown[np.flatnonzero(image.histogram())].any():
        return map_ids(indices, class_map, path)
    # Programs that count the colours of a picture number them in any order.
    try:
        by_index = map_ids(indices, class_map, path)
    except UnknownIds:
        return label
    if not np.array_equal(by_index, label):
        raise SegadaptError(
            f"{path}: its palette's colours and its palette's indices are different classes of "
            "classes.yaml; save it as RGB, or as grey with the ids alone"
        )
    return label


def _map_colours(
    rgb: NDArray[np.uint8], class_map: ClassMap
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Train ids by colour, and where the colour is none that the map knows."""
    pairs = sorted((_packed(np.array(c)).item(), i) for c, i in class_map.colours.items())
    known = np.array([colour for colour, _ in pairs])
    ids = np.array([i for _, i in pairs], np.uint8)
    packed = _packed(rgb)
    place = np.searchsorted(known, packed).clip(0, len(known) - 1)
    return ids[place], known[place] != packed


def _packed(rgb: NDArray[np.integer]) -> NDArray[np.int32]:
    wide = rgb.astype(np.int32)
    return wide[..., 0] << 16 | wide[..., 1] << 8 | wide[..., 2]


def _sixteen(image: ImageFile.ImageFile) -> bool:
    """Whether it is a PNG of several channels of 16 bits, of which Pillow keeps 8."""
    several = len(image.getbands()) > 1
    return several and any(str(tile.args).endswith(";16B") for tile in image.tile)


def read_first_channel(path: FilePath) -> NDArray[np.integer]:
    """The first channel in RGB order of a PNG of several, with 8 or 16 bits each.

    Raises:
        SegadaptError: the file is missing, cannot be decoded, or has one channel.
    """
    upper = opened(path, "label", decode=False)
    if len(upper.getbands()) < 2:
        raise SegadaptError(
            f"{path}: has one channel; this data set's label files have several, with the class "
            "ids in the first"
        )
    lower = opened(path, "label", decode=False)
    # Of 16 bits, most significant byte first, Pillow keeps the first byte, which is zero in
    # labels. Told that the bytes come the other way round, it keeps the second.
    sixteen = [tile for tile in lower.tile if str(tile.args).endswith(";16B")]
    if any(str(tile.args) == "LA;16B" for tile in sixteen):
        # Grey with alpha: its four bytes a pixel, taken for four channels.
        lower.tile = [tile._replace(args="RGBA") for tile in sixteen]
        four = np.array(decoded(lower, path, "label")).astype(np.uint16)
        return four[..., 0] * 256 + four[..., 1]  # type: ignore[no-any-return]
    lower.tile = [tile._replace(args=f"{str(tile.args)[:-1]}L") for tile in sixteen]
    ids: NDArray[np.uint8] = np.array(decoded(upper, path, "label"))[..., 0]
    if not sixteen:
        return ids
    both: NDArray[np.uint16] = ids.astype(np.uint16) * 256
    both += np.array(decoded(lower, path, "label"))[..., 0]
    return both
