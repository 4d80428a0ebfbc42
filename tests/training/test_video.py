import builtins
import re
import subprocess
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import imageio_ffmpeg
import numpy as np
import pytest
import torch
from torch import Tensor

from frl.training.video import require_video, write_video


def shades(num: int, height: int, width: int) -> Tensor:
    """Frames, each of one grey, with a red last row and column."""
    frames = torch.linspace(40, 200, num).round().to(torch.uint8).reshape(num, 1, 1, 1).repeat(1, height, width, 3)
    frames[:, -1], frames[:, :, -1] = torch.tensor([255, 0, 0]).byte(), torch.tensor([255, 0, 0]).byte()
    return frames


def read_mp4(path: Path) -> tuple[dict[str, Any], np.ndarray[Any, Any]]:
    """What the file says of itself, and its frames [T, H, W, 3]."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    done = subprocess.run(command, capture_output=True, check=True)
    said = re.search(r"Video: (\w+).*?, (\d+)x(\d+)[ ,].*?([\d.]+) fps", done.stderr.decode())
    assert said
    width, height = int(said[2]), int(said[3])
    frames = np.frombuffer(done.stdout, np.uint8).reshape(-1, height, width, 3)
    return {"codec": said[1], "fps": float(said[4])}, frames


@pytest.mark.parametrize(("height", "width"), [(32, 48), (31, 48), (32, 47), (31, 47)])
def test_an_mp4_has_every_frame_at_the_speed_asked_for_and_even_sizes_by_padding(
    tmp_path: Path, height: int, width: int
):
    frames = shades(6, height, width)
    assert write_video(tmp_path / "a.mp4", frames, fps=20) == tmp_path / "a.mp4"
    meta, seen = read_mp4(tmp_path / "a.mp4")
    assert (meta["fps"], meta["codec"]) == (20.0, "h264")
    assert seen.shape == (6, 32, 48, 3)
    middle = frames[:, 10, 10, 0].numpy().astype(int)
    assert np.abs(seen[:, 10, 10].astype(int) - middle[:, None]).max() < 12  # it is compressed
    assert (seen[:, -1, :, 0].astype(int) - seen[:, -1, :, 1] > 80).all(), "the last row was not repeated"
    assert (seen[:, :, -1, 0].astype(int) - seen[:, :, -1, 1] > 80).all(), "the last column was not repeated"


@pytest.mark.parametrize(("fps", "milliseconds"), [(10, 100), (30, 30), (50, 20), (200, 20)])
def test_a_gif_has_every_frame_exactly_and_is_repeated(tmp_path: Path, fps: float, milliseconds: int):
    frames = shades(4, 12, 16)
    write_video(tmp_path / "a.gif", frames, fps)
    assert np.array_equal(iio.imread(tmp_path / "a.gif"), frames.numpy())
    meta = iio.immeta(tmp_path / "a.gif")
    assert (meta["duration"], meta["loop"]) == (milliseconds, 0)


def test_frames_are_taken_one_by_one(tmp_path: Path):
    write_video(tmp_path / "a.MP4", (frame for frame in shades(3, 16, 16)))
    assert read_mp4(tmp_path / "a.MP4")[1].shape == (3, 16, 16, 3)


@pytest.mark.parametrize("suffix", [".mp4", ".gif"])
def test_what_fails_on_the_way_leaves_the_earlier_file_and_nothing_else(tmp_path: Path, suffix: str):
    path = tmp_path / "new" / f"a{suffix}"
    write_video(path, shades(2, 16, 16))
    before = path.read_bytes()

    def frames():
        yield from shades(2, 16, 16)
        raise RuntimeError("planted")

    with pytest.raises(RuntimeError, match="planted"):
        write_video(path, frames())
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_the_binary_that_writes_mp4_comes_with_the_library():
    program = imageio_ffmpeg.get_ffmpeg_exe()
    assert Path(program).is_relative_to(Path(imageio_ffmpeg.__file__).parent)
    assert "libx264" in subprocess.run([program, "-hide_banner", "-encoders"], capture_output=True, text=True).stdout


@pytest.mark.parametrize(("suffix", "missing"), [(".gif", "imageio"), (".mp4", "imageio_ffmpeg")])
def test_without_the_library_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch, suffix: str, missing: str):
    honest = builtins.__import__

    def absent(name: str, *arguments: Any, **more: Any) -> Any:
        if name.split(".")[0] == missing:
            raise ModuleNotFoundError(f"No module named {missing!r}", name=missing)
        return honest(name, *arguments, **more)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(ImportError, match=rf"{missing} is not installed; pip install 'frl\[video\]'"):
        require_video(f"a{suffix}")
