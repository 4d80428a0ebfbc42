import warnings

import pytest
import torch

from frl import optim
from tests.optim.problems import largest_difference, parameters, run, run_torch

lr = torch.optim.lr_scheduler
T = 60  # the steps of a schedule; runs go on beyond them


@pytest.fixture
def _double():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def sequential(optimizer):
    warmup = lr.LinearLR(optimizer, start_factor=0.1, end_factor=1.0, total_iters=20)
    return lr.SequentialLR(optimizer, [warmup, lr.ExponentialLR(optimizer, 0.98)], milestones=[20])


SCHEDULES = {
    "constant": (optim.constant(0.1), lambda o: lr.LambdaLR(o, lambda step: 1.0)),
    "linear": (optim.linear(0.1, 0.02, T), lambda o: lr.LinearLR(o, 1.0, 0.2, T)),
    "linear to zero": (optim.linear(0.1, 0.0, T), lambda o: lr.PolynomialLR(o, T)),
    "cosine": (optim.cosine(0.1, 0.01, 100), lambda o: lr.CosineAnnealingLR(o, 100, eta_min=0.01)),
    "exponential": (optim.exponential(0.1, 0.97), lambda o: lr.ExponentialLR(o, 0.97)),
    "warm-up, then decay": (
        optim.join([optim.linear(0.01, 0.1, 20), optim.exponential(0.1, 0.98)], [20]),
        sequential,
    ),
    "steps": (
        optim.join([optim.constant(0.1), optim.constant(0.05), optim.constant(0.025)], [30, 70]),
        lambda o: lr.MultiStepLR(o, [30, 70], gamma=0.5),
    ),
}
every_schedule = pytest.mark.parametrize(("schedule", "reference"), SCHEDULES.values(), ids=SCHEDULES.keys())


@every_schedule
@pytest.mark.usefixtures("_double")
def test_the_values_equal_those_of_torch(schedule, reference):
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scheduler = reference(optimizer)
        for step in range(100):
            assert schedule(torch.tensor(step)).item() == pytest.approx(
                scheduler.get_last_lr()[0], rel=1e-12, abs=1e-15
            )
            optimizer.step()
            scheduler.step()


@every_schedule
@pytest.mark.parametrize(
    ("make", "theirs"), [(optim.sgd, torch.optim.SGD), (optim.adam, torch.optim.Adam)], ids=["sgd", "adam"]
)
@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("_double")
def test_a_hundred_clipped_and_scheduled_steps_equal_torch(make, theirs, schedule, reference):
    expected = run_torch(
        lambda leaves: theirs(leaves, lr=0.1),
        parameters(),
        100,
        before_step=lambda leaves: torch.nn.utils.clip_grad_norm_(leaves, 0.5),
        make_scheduler=reference,
    )
    ours = run(optim.chain(optim.clip_by_global_norm(0.5), make(schedule)), parameters(), 100)[0]
    assert largest_difference(ours, expected) <= 1e-10


@every_schedule
def test_a_schedule_gives_a_scalar_of_the_default_dtype_under_vmap_and_compile(schedule, reference):
    steps = torch.arange(100)
    alone = torch.stack([schedule(step) for step in steps])
    assert alone.dtype == torch.float32
    assert torch.allclose(torch.vmap(schedule)(steps), alone, rtol=1e-6)
    compiled = torch.compile(schedule, backend="aot_eager", fullgraph=True)
    assert torch.allclose(compiled(steps[33]), alone[33], rtol=1e-6)


def test_a_schedule_stays_at_its_end():
    for schedule in (optim.linear(1.0, 0.25, 10), optim.cosine(1.0, 0.25, 10)):
        assert [schedule(torch.tensor(step)).item() for step in (10, 11, 10**9)] == [0.25, 0.25, 0.25]


def test_the_optimizer_reads_its_schedule_from_step_zero():
    optimizer, params = optim.sgd(optim.linear(1.0, 0.0, 2)), torch.tensor(0.0)
    state, path = optimizer.init(params), []
    for _ in range(4):
        params, state = optim.step(optimizer, torch.tensor(1.0), state, params)
        path.append(params.item())
    assert path == [-1.0, -1.5, -1.5, -1.5]


NUMBERS = {
    "constant": lambda x: optim.constant(x),
    "linear start": lambda x: optim.linear(x, 0.1, 10),
    "linear end": lambda x: optim.linear(0.1, x, 10),
    "cosine start": lambda x: optim.cosine(x, 0.1, 10),
    "cosine end": lambda x: optim.cosine(0.1, x, 10),
    "exponential start": lambda x: optim.exponential(x, 0.9),
    "exponential decay": lambda x: optim.exponential(1.0, x),
}


@pytest.mark.parametrize("make", NUMBERS.values(), ids=NUMBERS.keys())
def test_the_numbers_of_a_schedule_may_be_tensors(make):
    xs = torch.tensor([0.5, 0.8])
    together = torch.vmap(lambda x: make(x)(torch.tensor(3)))(xs)
    assert together.tolist() == pytest.approx([make(x)(torch.tensor(3)).item() for x in (0.5, 0.8)])
    assert torch.func.grad(lambda x: make(x)(torch.tensor(3)))(xs[0]) > 0
