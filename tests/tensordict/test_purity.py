import pytest
import torch
from torch import nn

from frl.nn import from_module, functional_call
from frl.tensordict.purity import require_pure, require_shapes

IMPURE = {
    "dropout": (lambda: nn.Dropout(0.5), "draws from the global generator"),
    "alpha dropout": (lambda: nn.AlphaDropout(0.5), "draws from the global generator"),
    "rrelu": (lambda: nn.RReLU(), "draws from the global generator"),
    "lstm with dropout": (lambda: nn.LSTM(1, 1, num_layers=2, dropout=0.5), "draws from the global generator"),
    "attention with dropout": (lambda: nn.MultiheadAttention(2, 1, dropout=0.5), "draws from the global generator"),
    "batch norm": (lambda: nn.BatchNorm1d(1), "writes into its own buffers"),
    "instance norm": (lambda: nn.InstanceNorm1d(1, track_running_stats=True), "writes into its own buffers"),
    "spectral norm": (lambda: nn.utils.parametrizations.spectral_norm(nn.Linear(2, 2)), "writes into its own buffers"),
}
PURE = {
    "dropout of nothing": lambda: nn.Dropout(0.0),
    "batch norm without statistics": lambda: nn.BatchNorm1d(1, track_running_stats=False),
    "instance norm": lambda: nn.InstanceNorm1d(1),
    "lstm": lambda: nn.LSTM(1, 1),
    "linear": lambda: nn.Linear(1, 1),
}


@pytest.mark.parametrize(("make", "what"), IMPURE.values(), ids=IMPURE)
def test_what_draws_or_writes_in_training_is_refused_by_name_and_works_in_evaluation(make, what):
    whole = nn.Sequential(nn.Identity(), make()).train()
    with pytest.raises(
        ValueError, match=rf"functional_call: 1\S* \(\w+\) {what} in training mode; call module.eval\(\)"
    ):
        functional_call(whole, from_module(whole))
    for path, part in whole.eval().named_modules():
        require_pure(part, path, "functional_call")


@pytest.mark.parametrize("make", PURE.values(), ids=PURE)
def test_what_is_pure_passes_in_training(make):
    require_pure(make().train(), "", "functional_call")


def test_a_refused_call_draws_nothing():
    module = nn.Sequential(nn.Dropout(0.5))
    before = torch.get_rng_state()
    with pytest.raises(ValueError, match="Dropout"):
        functional_call(module, {}, torch.ones(3))
    assert torch.equal(before, torch.get_rng_state())


def test_a_lazy_module_has_no_shapes_until_it_is_materialised():
    lazy = nn.LazyConv2d(2, 3)
    with pytest.raises(ValueError, match=r"from_module: net \(LazyConv2d\) is lazy and has no shapes yet"):
        require_shapes(lazy, "net.", "from_module")
    lazy(torch.zeros(1, 1, 4, 4))
    require_shapes(lazy, "net.", "from_module")
