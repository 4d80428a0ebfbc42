"""Every pure buffer under every transform: one row of the registry, all laws."""

import pytest
import torch

from frl import TensorDict, random, tree
from frl.compilation import compile, compiler_available
from tests.purity import Purity
from tests.rank_guard import RankGuard
from tests.replay.registry import BUFFERS, STEPS, filled, steps

every_buffer = pytest.mark.parametrize("buffer", BUFFERS.values(), ids=BUFFERS.keys())
KEY = random.key(0)


def equal(x, y):
    return all(torch.equal(a, b) for a, b in zip(tree.leaves(x), tree.leaves(y), strict=True))


def everything(buffer):
    """A loop's use of a buffer as one function: add, sample, give priorities, sample again."""

    def use(state, batch, key):
        state = buffer.add(state, batch)
        td = buffer.sample(state, key)
        state = buffer.update_priority(state, td["index"], td["next", "reward"].squeeze(-1).abs())
        return state, td, buffer.sample(state, random.fold_in(key, 1))

    return use


@every_buffer
def test_it_writes_into_no_input_and_broadcasts_nothing_in_silence(buffer):
    state, batch = filled(buffer, 2), steps(6)
    with Purity(state, batch, KEY), RankGuard():
        everything(buffer)(state, batch, KEY)


@every_buffer
@pytest.mark.usefixtures("traced_graphs")
@pytest.mark.parametrize("adds", [1, 2, 3])
def test_traced_it_is_the_eager_function(buffer, adds):
    arguments = filled(buffer, adds), steps(STEPS * adds), KEY
    expected = everything(buffer)(*arguments)
    assert equal(compile(everything(buffer))(*arguments), expected)
    assert equal(compile(everything(buffer), donate=True)(*arguments), expected)


@every_buffer
def test_vmap_equals_the_loop(buffer):
    states = [filled(buffer, n) for n in (1, 2, 4)]  # different cursors and sizes
    batches = [steps(STEPS * n) for n in (1, 2, 4)]
    keys = random.split(KEY, 3)
    together = torch.vmap(everything(buffer))(tree.stack(states), tree.stack(batches), keys)
    alone = [everything(buffer)(*arguments) for arguments in zip(states, batches, keys, strict=True)]
    assert equal(together, tree.stack(alone))


@every_buffer
def test_several_keys_draw_what_each_draws_alone(buffer):
    state, keys = filled(buffer, 2), random.split(KEY, 3)
    td = buffer.sample(state, keys)
    assert td.batch_size[:2] == (3, buffer.batch_size)
    assert equal(td, tree.stack([buffer.sample(state, key) for key in keys]))


@every_buffer
def test_all_rows_are_of_the_newest_steps_and_each_stands_where_its_index_says(buffer):
    state = buffer.init(steps(0)[0, 0])
    for adds in range(1, 6):
        state = buffer.add(state, steps(STEPS * (adds - 1)))
        per_env = int(state["size"]) // 2
        oldest = STEPS * adds - per_env
        td = buffer.sample(state, random.split(random.key(adds), 20)).reshape(-1)
        step = td["observation"] % 100
        assert per_env == min(STEPS * adds, buffer.capacity // 2)
        assert (step >= oldest).all()
        assert (step < STEPS * adds).all()
        if "mask" not in td:
            assert torch.equal(td["observation"], state["data"]["observation"][td["index"]])


@every_buffer
def test_more_steps_than_it_holds_leave_the_newest(buffer):
    at_once = buffer.add(buffer.init(steps(0)[0, 0]), steps(0, num_steps=10))
    state = buffer.init(steps(0)[0, 0])
    for t in range(10):
        state = buffer.add(state, steps(0, num_steps=10)[:, t : t + 1])
    assert equal(at_once, state)


@every_buffer
def test_a_state_that_was_saved_goes_on_as_if_it_was_not(buffer, tmp_path):
    state = filled(buffer, 3)
    state.save(tmp_path / "state")
    assert equal(
        everything(buffer)(TensorDict.load(tmp_path / "state"), steps(9), KEY), everything(buffer)(state, steps(9), KEY)
    )


@every_buffer
def test_an_empty_buffer_is_refused_where_values_can_be_read_and_gives_zeros_elsewhere(buffer):
    state = buffer.init(steps(5)[0, 0])
    with pytest.raises(ValueError, match="the buffer is empty"):
        buffer.sample(state, KEY)
    td = torch.vmap(buffer.sample)(tree.stack([state]), KEY.unsqueeze(0))
    assert not td["observation"].any()


@pytest.mark.skipif(not compiler_available(), reason="no C++ compiler")
def test_compiled_and_donated_it_is_the_eager_function_and_stays_where_it_is():
    buffer = BUFFERS["prioritized n_step"]
    use = compile(everything(buffer), donate=True)
    state, expected = filled(buffer, 1), filled(buffer, 1)
    where = state["data"]["observation"].data_ptr()
    for adds in range(1, 4):
        state, *samples = use(state, steps(STEPS * adds), random.key(adds))
        expected, *expected_samples = everything(buffer)(expected, steps(STEPS * adds), random.key(adds))
        for x, y in zip(tree.leaves((state, samples)), tree.leaves((expected, expected_samples)), strict=True):
            torch.testing.assert_close(x, y, atol=1e-6, rtol=1e-6)
    assert state["data"]["observation"].data_ptr() == where
