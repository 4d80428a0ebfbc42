import pytest
import torch

from frl import random
from frl.distributions import MultiCategorical, MultiOneHotCategorical, kl_divergence

logits = torch.tensor([0.0, 0.0, 0.0, 0.0, torch.tensor(2.0).log()])  # 1/2, 1/2 and 1/4, 1/4, 1/2


def test_probabilities_of_the_choices_multiply():
    assert MultiCategorical(logits, (2, 3)).log_prob(torch.tensor([1, 2])).exp().item() == pytest.approx(1 / 4)
    one_hot = MultiOneHotCategorical(logits, (2, 3)).log_prob(torch.tensor([0, 1, 1, 0, 0]))
    assert one_hot.exp().item() == pytest.approx(1 / 8)


def test_both_ways_of_writing_draw_the_same_choices():
    many = logits.expand(50, 5)
    index = MultiCategorical(many, (2, 3)).sample(random.key(0))
    vectors = MultiOneHotCategorical(many, (2, 3)).sample(random.key(0)).split([2, 3], -1)
    assert torch.equal(torch.stack([x.argmax(-1) for x in vectors], -1), index)
    assert index.amax(0).tolist() == [1, 2]


def test_a_choice_beyond_those_of_its_part_is_never_drawn():
    narrow = MultiCategorical(torch.tensor([9.0, -9.0, -9.0, -9.0]).expand(200, 4), (1, 3))
    assert (narrow.sample(random.key(0))[:, 0] == 0).all()


def test_the_divergence_of_other_choices_is_refused():
    with pytest.raises(ValueError, match=r"q.nvec is \(3, 2\) but p.nvec is \(2, 3\)"):
        kl_divergence(MultiCategorical(logits, (2, 3)), MultiCategorical(logits, (3, 2)))
