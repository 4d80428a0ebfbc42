"""Laws: a TensorDict against a dict of NumPy arrays, over drawn batch sizes, event shapes and operations."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from frl import TensorDict, tree

laws = settings(max_examples=50, derandomize=True, deadline=None)
sizes = st.integers(1, 3)
batches = st.lists(sizes, min_size=1, max_size=3).map(tuple)
names = st.text("ab .", min_size=1, max_size=3)
events = st.dictionaries(names, st.lists(sizes, max_size=2).map(tuple), min_size=1, max_size=4)


def arrays(batch, shapes):
    """Arrays [*batch, *event], each with numbers of its own."""
    found, start = {}, 0
    for name, event in shapes.items():
        count = int(np.prod(batch + event))
        found[name] = np.arange(start, start + count).reshape(batch + event)
        start += count
    return found


def agree(td, model, batch):
    assert td.batch_size == torch.Size(batch)
    assert list(td) == sorted(model)
    for name, array in model.items():
        np.testing.assert_array_equal(td[name].numpy(), array)


@laws
@given(batches, events)
def test_construction(batch, shapes):
    model = arrays(batch, shapes)
    agree(TensorDict(model, batch), model, batch)


@laws
@given(batches, events, st.data())
def test_indexing(batch, shapes, data):
    model = arrays(batch, shapes)
    index = tuple(
        data.draw(st.one_of(st.integers(-n, n - 1), st.slices(n), st.just(None)).filter(_forward)) for n in batch
    )
    axes = np.zeros(batch)[index].shape
    td = TensorDict(model, batch)[index]
    agree(td, {name: array[index] for name, array in model.items()}, axes)


def _forward(index):
    """NumPy reverses by a slice of negative step; a tensor does not."""
    return not isinstance(index, slice) or index.step is None or index.step > 0


@laws
@given(batches, events, st.data())
def test_setting_at_an_index(batch, shapes, data):
    model = arrays(batch, shapes)
    i = data.draw(st.integers(0, batch[0] - 1))
    td = TensorDict(model, batch).at[i].set(-1)
    for array in model.values():
        array[i] = -1
    agree(td, model, batch)


@laws
@given(batches, events)
def test_reshaping_there_and_back(batch, shapes):
    model = arrays(batch, shapes)
    td = TensorDict(model, batch)
    flat = {name: array.reshape((-1, *shapes[name])) for name, array in model.items()}
    agree(td.reshape(-1), flat, (int(np.prod(batch)),))
    agree(td.reshape(-1).reshape(batch), model, batch)


@laws
@given(batches, events)
def test_stacking_and_unbinding(batch, shapes):
    model = arrays(batch, shapes)
    td = TensorDict(model, batch)
    stacked = torch.stack([td, td + 1])
    agree(stacked, {name: np.stack([array, array + 1]) for name, array in model.items()}, (2, *batch))
    first, second = stacked.unbind(0)
    assert (first == td).all()
    assert (second == td + 1).all()


@laws
@given(batches, events, st.data())
def test_sums_over_batch_axes(batch, shapes, data):
    model = arrays(batch, shapes)
    axis = data.draw(st.integers(0, len(batch) - 1))
    rest = batch[:axis] + batch[axis + 1 :]
    agree(TensorDict(model, batch).sum(axis), {name: array.sum(axis) for name, array in model.items()}, rest)


@laws
@given(batches, events, st.data())
def test_a_tensor_of_the_batch_scales_every_entry(batch, shapes, data):
    model = arrays(batch, shapes)
    weight = np.arange(int(np.prod(batch))).reshape(batch)
    scaled = {name: array * weight.reshape(batch + (1,) * len(shapes[name])) for name, array in model.items()}
    agree(TensorDict(model, batch) * torch.as_tensor(weight), scaled, batch)


@laws
@given(batches, events)
def test_the_order_of_writing_leaves_no_trace(batch, shapes):
    model = arrays(batch, shapes)
    td = TensorDict({}, batch)
    for name in reversed(list(model)):
        td = td.set(name, torch.as_tensor(model[name]))
    assert tree.flatten(td)[1] == tree.flatten(TensorDict(model, batch))[1]


@laws
@given(batches, events)
def test_vmap_of_the_identity_is_the_identity(batch, shapes):
    model = arrays(batch, shapes)
    agree(torch.func.vmap(lambda td: td)(TensorDict(model, batch)), model, batch)
