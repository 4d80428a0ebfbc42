import pytest
import torch
from torch.testing import assert_close

from frl import TensorDict, random
from frl.control import scan
from frl.distributions.base import noise
from frl.nn import ExplorationType, OrnsteinUhlenbeckProcessModule
from frl.specs import Composite, Unbounded

KEY = random.key(0)
SPEC = Unbounded(2)


def td_of(ou_noise=None, is_init=False, batch=3):
    td = TensorDict({"action": torch.ones(batch, 2), "is_init": torch.full((batch, 1), is_init)}, [batch])
    return td if ou_noise is None else td.set("ou_noise", ou_noise)


def test_a_step_is_that_of_euler_and_maruyama():
    module = OrnsteinUhlenbeckProcessModule(SPEC, eps_init=0.5, theta=0.3, mu=1.0, sigma=0.4, dt=0.25)
    before = torch.tensor([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])
    td = module(td_of(before), key=KEY)
    w = noise("test", before, KEY)
    x = before + 0.3 * (1.0 - before) * 0.25 + 0.4 * 0.5 * w
    assert_close(td["next", "ou_noise"], x)
    assert_close(td["action"], 1.0 + 0.5 * x)
    assert td["ou_noise"] is before


def test_it_begins_at_zero_where_an_episode_begins_and_where_nothing_stands():
    module = OrnsteinUhlenbeckProcessModule(SPEC)
    far = torch.full((3, 2), 100.0)
    fresh = module(td_of(), key=KEY)["next", "ou_noise"]
    assert torch.equal(module(td_of(far, is_init=True), key=KEY)["next", "ou_noise"], fresh)
    assert bool((module(td_of(far), key=KEY)["next", "ou_noise"] > 50).all())
    one = td_of(far).set("is_init", torch.tensor([[True], [False], [False]]))
    after = module(one, key=KEY)["next", "ou_noise"]
    assert torch.equal(after[0], fresh[0])
    assert bool((after[1:] > 50).all())


def test_where_nothing_is_explored_the_process_stays():
    module = OrnsteinUhlenbeckProcessModule(SPEC)
    x = torch.full((3, 2), 7.0)
    td = module(td_of(x), exploration=ExplorationType.DETERMINISTIC)
    assert torch.equal(td["next", "ou_noise"], x)
    assert torch.equal(td["action"], torch.ones(3, 2))


def test_its_variance_and_correlation_are_those_of_the_stationary_process():
    module = OrnsteinUhlenbeckProcessModule(SPEC, theta=1.0, sigma=0.5, dt=0.1)
    never = torch.zeros(500, 1, dtype=torch.bool)

    def body(x, key):
        td = TensorDict({"action": torch.zeros(500, 2), "is_init": never, "ou_noise": x}, [500])
        x = module(td, key=key)["next", "ou_noise"]
        return x, x

    _, xs = scan(body, torch.zeros(500, 2), random.split(KEY, 100))
    kept = 1 - 0.1  # of the process, in each step
    variance = 0.5**2 * 0.1 / (1 - kept**2)
    assert xs[-1].var().item() == pytest.approx(variance, rel=0.15)
    lagged = (xs[-1] * xs[-6]).mean() / variance
    assert lagged.item() == pytest.approx(kept**5, abs=0.1)


def test_the_state_spec_is_of_what_is_written_under_next():
    module = OrnsteinUhlenbeckProcessModule(SPEC)
    assert module.recurrent_state_spec == Composite({"ou_noise": Unbounded(2)})
    assert module.recurrent_state_spec.expand(3).contains(module(td_of(), key=KEY)["next"])


def test_the_defaults_are_those_of_the_paper():
    module = OrnsteinUhlenbeckProcessModule(SPEC)
    assert (module.theta, module.mu, module.sigma, module.dt) == (0.15, 0.0, 0.2, 0.01)
    assert (module.eps.item(), module.end.item()) == (1.0, pytest.approx(0.1))
