import pytest
import torch

from frl.envs.navigation.plane import distance, moved, picture


def test_a_step_is_clipped_along_each_axis_and_scaled():
    position, action = torch.tensor([[0.0, 1.0], [2.0, 2.0]]), torch.tensor([[0.5, -7.0], [1.0, 0.0]])
    after = moved(position, action, torch.tensor([0.1, 1.0]))
    assert after.flatten().tolist() == pytest.approx([0.05, 0.9, 3.0, 2.0])


def test_the_distance_has_a_gradient_everywhere():
    at, goal = torch.tensor([3.0, 4.0]), torch.zeros(2)
    assert distance(at, goal) == 5
    assert torch.func.grad(distance)(at, goal).tolist() == pytest.approx([0.6, 0.8])
    assert torch.func.grad(distance)(goal, goal).tolist() == [0.0, 0.0]


def test_the_picture_shows_the_point_on_its_goal():
    drawn = picture(torch.tensor([[0.6, 0.0]]), torch.tensor([[0.6, 0.6]]), 0.2, 1.2, None)[0]
    assert drawn[120, 179].tolist() == [204, 51, 51]
    assert drawn[60, 179].tolist() == [102, 204, 102]
    assert drawn[120, 120].tolist() == [180, 180, 180]
