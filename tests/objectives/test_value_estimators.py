"""Value estimators against numbers that can be reckoned by hand."""

import pytest
import torch

from frl import TensorDict
from frl.objectives import ValueEstimators, td0, td_lambda, value_estimator

NO, YES = [False], [True]


def after(reward, terminated, **more):
    entries = {"reward": torch.tensor(reward).unsqueeze(-1), "terminated": torch.tensor(terminated), **more}
    return TensorDict(entries, [len(reward)])


def test_td0_bootstraps_unless_it_terminated():
    target = td0(0.5)(after([1.0, 1.0], [NO, YES]), torch.tensor([8.0, 8.0]))
    assert target.tolist() == [5.0, 1.0]


def test_a_truncated_step_counts_with_its_true_successor():
    td = after([1.0], [NO], truncated=torch.tensor([YES]))
    assert td0(0.5)(td, torch.tensor([8.0])).tolist() == [5.0]


def test_of_n_step_replay_the_discount_is_taken_as_it_is():
    td = after([1.0, 1.0], [NO, YES], discount=torch.tensor([[0.25], [0.0]]))
    assert td0(0.5)(td, torch.tensor([8.0, 8.0])).tolist() == [3.0, 1.0]


def test_done_alone_is_read_as_terminated():
    td = TensorDict({"reward": torch.ones(1, 1), "done": torch.tensor([YES])}, [1])
    assert td0(0.5)(td, torch.tensor([8.0])).tolist() == [1.0]


def test_td_lambda_runs_along_the_last_axis_and_is_cut_at_the_end_of_an_episode():
    td = after([1.0, 1.0, 1.0], [NO, NO, NO], truncated=torch.tensor([NO, YES, NO]))
    target = td_lambda(0.5, 1.0)(td, torch.tensor([0.0, 4.0, 8.0]))
    assert target.tolist() == [2.5, 3.0, 5.0]  # 1 + 0.5·3, 1 + 0.5·4, 1 + 0.5·8


def test_lambda_zero_is_td0():
    td, value = after([1.0, 2.0], [NO, YES]), torch.tensor([3.0, 4.0])
    assert torch.equal(td_lambda(0.9, 0.0)(td, value), td0(0.9)(td, value))


@pytest.mark.parametrize("kind", [kind for kind in ValueEstimators if kind is not ValueEstimators.VTrace])
def test_every_estimator_of_action_values_has_a_name(kind):
    assert value_estimator(kind, gamma=0.9)(after([1.0, 2.0], [NO, YES]), torch.ones(2)).shape == (2,)


def test_vtrace_needs_probabilities():
    with pytest.raises(ValueError, match="needs the probabilities"):
        value_estimator(ValueEstimators.VTrace)


def test_a_batch_without_time_has_no_lambda_return():
    td = TensorDict({"reward": torch.ones(1), "terminated": torch.tensor([False])})
    with pytest.raises(ValueError, match=r"must be \[\*B, T\]"):
        td_lambda()(td, torch.tensor(1.0))


def test_gradients_reach_gamma():
    td = after([1.0], [NO])
    assert torch.func.grad(lambda g: td0(g)(td, torch.tensor([8.0])).sum())(torch.tensor(0.5)).item() == 8.0
