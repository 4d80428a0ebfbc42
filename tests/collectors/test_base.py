import pytest
import torch

from frl import TensorDict
from frl.collectors import DataCollector
from frl.collectors.gather import Plan
from frl.nn import from_module
from tests.collectors import policies


class Counting(DataCollector):
    """Batches of the frames' numbers."""

    def __init__(self, policy=None, total_frames=-1, device=None):
        self._prepare(Plan("Counting", 3, total_frames, -1, 0), policy)
        self._device, self.closed = device, 0
        self.set_seed(0)

    def _next(self):
        return self._placed(TensorDict({"x": torch.arange(self.frames, self.frames + 3)}, [3]))

    def _begin(self, key):
        self.key = key

    def _release(self):
        self.closed += 1


def test_iteration_ends_when_enough_is_delivered_and_goes_on_where_it_stopped():
    collector = Counting(total_frames=7)
    first = next(iter(collector))
    rest = list(collector)
    assert torch.cat([first, *rest], 0)["x"].tolist() == list(range(9))
    assert collector.frames == 9


def test_without_a_number_of_frames_it_never_ends():
    batches = iter(Counting())
    assert [next(batches).batch_size for _ in range(20)] == [(3,)] * 20


def test_the_version_counts_the_updates():
    policy = policies.actor()
    collector = Counting(policy)
    for i in range(3):
        assert collector.version == i
        collector.update_weights(from_module(policy))


def test_a_refused_update_leaves_all_as_it_was():
    collector = Counting(policies.actor())
    with pytest.raises(ValueError, match="Counting: params has no"):
        collector.update_weights({})
    assert collector.version == 0
    assert collector._weights is None


def test_a_context_closes_once_and_nothing_goes_on_after_it():
    with Counting(policies.actor()) as collector:
        pass
    collector.shutdown()
    assert collector.closed == 1
    for use in (lambda: next(iter(collector)), lambda: collector.set_seed(0), lambda: collector.update_weights({})):
        with pytest.raises(RuntimeError, match=r"Counting: used after shutdown\(\); make another one"):
            use()


def test_a_batch_is_pinned_where_a_device_was_asked_for():
    assert next(iter(Counting())).device is None
    assert next(iter(Counting(device=torch.device("cpu")))).device == torch.device("cpu")
