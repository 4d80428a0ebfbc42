import pytest
import torch

from frl.nn import ExplorationType, exploration_type, set_exploration_type


def test_outside_of_any_context_there_is_none():
    assert exploration_type() is None


def test_contexts_nest_and_end_after_an_error():
    with set_exploration_type(ExplorationType.MODE):
        with pytest.raises(ZeroDivisionError), set_exploration_type(ExplorationType.MEAN):
            assert 1 / (exploration_type() is not ExplorationType.MEAN)
        assert exploration_type() is ExplorationType.MODE
    assert exploration_type() is None


def test_only_random_draws():
    assert [kind.name for kind in ExplorationType if kind.draws] == ["RANDOM"]


def test_a_string_is_no_type():
    with (
        pytest.raises(TypeError, match=r"got 'mode'; expected one of .*ExplorationType.MODE"),
        set_exploration_type("mode"),
    ):
        pass


def test_a_compiled_function_follows_the_context_it_is_called_in():
    def f(x):
        return x + 1 if exploration_type() is ExplorationType.MODE else x

    compiled = torch.compile(f, backend="eager", fullgraph=True)
    assert compiled(torch.zeros(())) == 0
    with set_exploration_type(ExplorationType.MODE):
        assert compiled(torch.zeros(())) == 1
    assert compiled(torch.zeros(())) == 0
