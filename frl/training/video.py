"""Video files from frames, by imageio: .mp4 and .gif."""

import contextlib
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from torch import Tensor

_Frame = np.ndarray[Any, Any]

SUFFIXES = (".mp4", ".gif")


def write_video(path: str | Path, frames: Iterable[Tensor], fps: float = 30) -> Path:
    """Writes the frames, one after the other, as the video that the suffix of `path` names.

    An .mp4 (H.264) has an even number of rows and columns: where a frame has not, its last ones are repeated. Its
    frames are written as they come; those of a .gif are held until the end, and take some ten times longer. A .gif is
    repeated forever, and shows at most 50 frames in a second, for browsers slow down a faster one. The file appears at
    once, when it is whole.

    Args: path: its directory is made where there is none. frames: each uint8 [H, W, 3] or, all in one, [T, H, W, 3].
        fps: frames in a second, above 0.
    Returns: the path.
    Raises: ValueError for another suffix, for no frame, for one that is no picture or not as large as the first;
        ImportError without imageio.

    >>> import tempfile, torch
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     path = write_video(f"{directory}/noise.gif", torch.randint(256, (3, 8, 8, 3)).byte(), fps=10)
    ...     path.read_bytes()[:6]
    b'GIF89a'
    """
    path = Path(path)
    library = require_video(path)
    if not fps > 0:
        raise ValueError(f"write_video: fps is {fps} but must be above 0, frames in a second.")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".tmp-{secrets.token_hex(8)}{path.suffix}")
    try:
        # its own `with` closes nothing after an error, and leaves a process that still writes
        with contextlib.closing(_writer(library, temporary, fps)) as writer:
            for frame in _checked(frames):
                writer.append_data(frame)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def require_video(path: str | Path) -> ModuleType:
    """The library that can write `path`.

    Raises: ValueError unless its suffix is .mp4 or .gif; ImportError where the library is not installed.

    >>> require_video("run.mp4").__name__
    'imageio.v2'
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"write_video: {path} ends in {suffix!r} but must end in {' or '.join(SUFFIXES)}.")
    try:
        import imageio.v2  # lazily: it takes a fifth of a second, and only videos need it

        if suffix == ".mp4":
            import imageio_ffmpeg  # noqa: F401  # pyright: ignore[reportUnusedImport]
    except ImportError as error:
        raise ImportError(f"write_video: {error.name} is not installed; pip install 'frl[video]'.") from error
    return imageio.v2


def _writer(library: Any, path: Path, fps: float) -> Any:
    if path.suffix.lower() == ".mp4":
        return library.get_writer(path, fps=fps, macro_block_size=2)
    hundredths = max(2, round(100 / fps))  # what a GIF counts in
    return library.get_writer(path, duration=10 * hundredths, loop=0)


def _checked(frames: Iterable[Tensor]) -> Iterable[_Frame]:
    """The frames as arrays of even sizes; raises unless all are pictures of one size, and at least one."""
    shape = None
    for i, frame in enumerate(frames):
        array = frame.numpy(force=True)
        if array.dtype != np.uint8 or array.ndim != 3 or array.shape[-1] != 3:
            raise ValueError(
                f"write_video: frame {i} is {array.dtype} {list(array.shape)} but must be uint8 [H, W, 3]; multiply "
                "colours from 0 to 1 by 255, and move channels to the end."
            )
        shape = shape or array.shape
        if array.shape != shape:
            raise ValueError(
                f"write_video: frame {i} has shape {list(array.shape)} but the first has {list(shape)}; "
                "write frames of another size to another file."
            )
        height, width, _ = shape
        yield np.pad(array, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    if shape is None:
        raise ValueError("write_video: there is no frame; give at least one.")
