"""Films, streams and cameras through PyAV: frames in, a film with what was found out."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segadapt.base.errors import SegadaptError
from segadapt.base.extras import require_extra
from segadapt.commands.predict.inputs import CAMERA
from segadapt.commands.predict.looks import unwritable

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer
    from av.video.stream import VideoStream

CAMERAS = {"linux": ("v4l2", "/dev/video{}"), "darwin": ("avfoundation", "{}")}
"""How the system's cameras are opened: FFmpeg's format, and its name for one."""
LIKELY_RATE = Fraction(25)
"""Frames per second where a stream does not tell."""


def require_pyav(what: str) -> None:
    """Raise SegadaptError where the extra ``video`` is not installed, that ``what`` needs."""
    require_extra(f"{what}: a film", "video", av="PyAV")


class Film:
    """The frames of a film, upright."""

    def __init__(self, what: str) -> None:
        """``what``: a file, an address, or ``camera:0``.

        Raises:
            SegadaptError: there is no such film.
        """
        import av

        self.what = what
        name, options = _opened_as(what)
        try:
            self._container: InputContainer = av.open(name, **options)
            self._stream = self._container.streams.video[0]
        except (OSError, ValueError, IndexError) as error:
            raise SegadaptError(f"{what}: is no film that can be opened ({error})") from error
        self._stream.thread_type = "AUTO"
        self.rate = Fraction(self._stream.average_rate or LIKELY_RATE)
        """Frames per second."""
        self.length = self._stream.frames or None
        """Number of frames; None where the film does not tell."""

    def frames(self) -> Iterator[NDArray[np.uint8]]:
        """RGB (height, width, 3), one after the other.

        Raises:
            SegadaptError: the film breaks off.
        """
        done = 0
        try:
            for frame in self._container.decode(self._stream):
                pixels: NDArray[np.uint8] = frame.to_ndarray(format="rgb24")
                # A telephone held upright notes how its picture is to be turned.
                yield np.ascontiguousarray(np.rot90(pixels, frame.rotation // 90))
                done += 1
        except (OSError, ValueError) as error:
            raise SegadaptError(f"{self.what}: cannot be read after frame {done} ({error})") from (
                error
            )
        finally:
            self._container.close()


class FilmWriter:
    """A film that frames are added to; as a context, closed so that it can be shown, always."""

    def __init__(self, file: Path, rate: Fraction) -> None:
        self.file, self._rate = file, rate
        self._container: OutputContainer | None = None
        self._stream: VideoStream | None = None

    def add(self, picture: Image.Image) -> None:
        """Add a frame; all have the size of the first.

        Raises:
            SegadaptError: the file cannot be written.
        """
        import av

        pixels = _even(np.asarray(picture))
        try:
            if self._container is None or self._stream is None:
                self._begin(pixels.shape[:2])
            assert self._container is not None and self._stream is not None
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            self._container.mux(self._stream.encode(frame))
        except OSError as error:
            raise unwritable(self.file, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._container is not None and self._stream is not None:
            self._container.mux(self._stream.encode(None))
            self._container.close()

    def _begin(self, size: tuple[int, ...]) -> None:
        import av

        self.file.parent.mkdir(parents=True, exist_ok=True)
        self._container = av.open(str(self.file), "w")
        codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
        stream = cast("VideoStream", self._container.add_stream(codec, rate=self._rate))
        stream.height, stream.width = size
        stream.pix_fmt = "yuv420p"
        self._stream = stream


def _opened_as(what: str) -> tuple[str, dict[str, Any]]:
    """FFmpeg's name of a film, and how it is opened."""
    if not what.startswith(CAMERA):
        return what, {}
    if sys.platform not in CAMERAS:
        raise SegadaptError(
            f"{what}: cameras are known on Linux and macOS; give a film or a stream"
        )
    format_, name = CAMERAS[sys.platform]
    return name.format(what.removeprefix(CAMERA)), {"format": format_}


def _even(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """With the last row and column twice where a side is odd: players know even sizes only."""
    height, width = pixels.shape[:2]
    return np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
