import pytest
import torch

from frl.distributions.logits import divergence, entropy, one_hot


def test_a_choice_becomes_a_vector_with_a_single_one():
    assert one_hot(torch.tensor([[2], [0]]), 3).tolist() == [[[0, 0, 1]], [[1, 0, 0]]]


def test_equal_choices_have_the_entropy_of_their_number():
    assert entropy(torch.full([8], -3.0)).item() == pytest.approx(2.0794415)


def test_equal_probabilities_do_not_diverge_whatever_their_offset():
    assert divergence(torch.tensor([1.0, 2.0]), torch.tensor([11.0, 12.0])).item() == pytest.approx(0.0, abs=1e-6)
