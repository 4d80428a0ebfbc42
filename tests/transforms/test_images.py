import pytest
import torch
from torch.nn.functional import interpolate

from frl import TensorDict, random
from frl.specs import Bounded, Composite
from frl.transforms import CenterCrop, GrayScale, Resize, ToTensorImage

KEY = random.key(0)


def show(transform, x, rank=0):
    return transform(TensorDict({"pixels": x}, x.shape[:rank]))["pixels"]


def test_bytes_become_numbers_between_zero_and_one():
    x = torch.tensor([[[0, 128, 255]]], dtype=torch.uint8)
    assert show(ToTensorImage(), x).flatten().tolist() == [0.0, pytest.approx(128 / 255), 1.0]
    assert show(ToTensorImage(), x.float()).flatten().tolist() == [0.0, 128.0, 255.0]
    spec = ToTensorImage().observation_spec(Composite({"pixels": Bounded(0, 255, (4, 5, 3), dtype=torch.uint8)}))
    assert spec["pixels"] == Bounded(0.0, 1.0, (3, 4, 5))


def test_bytes_are_divided_in_the_precision_that_is_asked_for():
    image = ToTensorImage(dtype=torch.float64).apply(torch.ones(1, 1, 1, dtype=torch.uint8))
    assert image.item() == 1 / 255


def test_brightness_is_the_weighted_sum_of_the_colours():
    red, green, blue = torch.eye(3).reshape(3, 3, 1, 1)
    assert [show(GrayScale(), x).item() for x in (red, green, blue)] == pytest.approx([0.2989, 0.587, 0.114])


@pytest.mark.parametrize("antialias", [True, False])
@pytest.mark.parametrize("size", [(84, 84), (5, 9), (70, 30), (200, 100)])
def test_resizing_is_torchs_bilinear_interpolation(size, antialias):
    x = random.normal((2, 3, 60, 90), KEY, dtype=torch.float64)
    expected = interpolate(x, size, mode="bilinear", antialias=antialias, align_corners=False)
    torch.testing.assert_close(show(Resize(size[1], size[0], antialias=antialias), x, 1), expected)


def test_seed_001_s_chain_gives_one_channel_of_84_by_84():
    x = torch.zeros(400, 600, 3, dtype=torch.uint8)
    assert show(Resize(84, 84), show(GrayScale(), show(ToTensorImage(), x))).shape == (1, 84, 84)


def test_a_constant_image_stays_constant():
    torch.testing.assert_close(show(Resize(7, 11), torch.ones(1, 30, 20)), torch.ones(1, 11, 7))


@pytest.mark.parametrize(("size", "w", "expected"), [(5, 3, [1, 2, 3]), (5, 2, [2, 3]), (4, 4, [0, 1, 2, 3])])
def test_the_middle_is_cut_out(size, w, expected):
    x = torch.arange(size).expand(1, size, size)
    assert show(CenterCrop(w), x)[0, 0].tolist() == expected


def test_width_comes_first():
    assert show(CenterCrop(2, 3), torch.zeros(1, 9, 9)).shape == (1, 3, 2)
    assert show(Resize(2, 3), torch.zeros(1, 9, 9)).shape == (1, 3, 2)
