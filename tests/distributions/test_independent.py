import pytest
import torch
from torch.testing import assert_close

from frl import random
from frl.distributions import Categorical, Independent, Normal, TanhNormal, kl_divergence

key = random.key(0)
normal = Normal(torch.zeros(3, 2), torch.ones(3, 2))


def test_log_probability_entropy_and_divergence_are_sums_over_the_event():
    policy, x = Independent(normal, 1), normal.sample(key)
    assert_close(policy.log_prob(x), normal.log_prob(x).sum(-1))
    assert_close(policy.entropy(), normal.entropy().sum(-1))
    other = Normal(torch.ones(3, 2), torch.ones(3, 2))
    assert kl_divergence(policy, Independent(other, 1)).tolist() == [1.0, 1.0, 1.0]


def test_without_event_axes_it_is_its_base():
    policy, x = Independent(normal, 0), normal.sample(key)
    assert (policy.batch_shape, policy.event_shape) == (normal.batch_shape, ())
    assert torch.equal(policy.log_prob(x), normal.log_prob(x))


def test_several_indices_are_one_action():
    policy = Independent(Categorical(torch.zeros(7, 3, 5)), 1)
    x = policy.sample(key)
    assert (x.shape, x.dtype, policy.log_prob(x).shape) == ((7, 3), torch.int64, (7,))
    assert policy.log_prob(x)[0].item() == pytest.approx(-3 * 1.6094379)


def test_the_event_of_its_base_comes_last():
    policy = Independent(TanhNormal(torch.zeros(4, 3, 2), torch.ones(4, 3, 2)), 1)
    assert (policy.batch_shape, policy.event_shape) == ((4,), (3, 2))


def test_it_can_be_nested():
    twice, once = Independent(Independent(normal, 1), 1), Independent(normal, 2)
    x = normal.sample(key)
    assert_close(twice.log_prob(x), once.log_prob(x))


def test_what_its_base_has_not_it_has_not():
    policy = Independent(Categorical(torch.zeros(3, 2)), 1)
    assert not policy.has_rsample
    with pytest.raises(NotImplementedError, match="Categorical has no reparameterised sample"):
        policy.rsample(key)


def test_its_printed_form_shows_its_base():
    assert repr(Independent(normal, 1)) == "Independent(base: Normal(loc: [3, 2], scale: [3, 2]), event_dims: 1)"


@pytest.mark.parametrize(
    ("event_dims", "message"),
    [(3, r"event_dims is 3 but base has batch shape \[3, 2\]; pass at most 2"), (-1, "event_dims is -1 but must be")],
)
def test_event_axes_that_are_not_there_are_refused(event_dims, message):
    with pytest.raises(ValueError, match=message):
        Independent(normal, event_dims)


def test_events_of_two_ranks_have_no_divergence():
    with pytest.raises(ValueError, match=r"q.event_dims is 2 but p.event_dims is 1"):
        kl_divergence(Independent(normal, 1), Independent(normal, 2))


def test_a_tensor_is_no_distribution():
    with pytest.raises(TypeError, match="Independent: base is a Tensor but must be a distribution"):
        Independent(torch.zeros(3), 1)
