"""The program of seed document 001: DQN with an LSTM that learns CartPole from pixels, as functions.

What changes is one value, `train`: {"params": {"value", "target"}, "opt", "exploration"}.
"""

import torch
from torch import nn

from frl import TensorDict, optim
from frl.envs import GymEnv
from frl.nn import (
    MLP,
    ConvNet,
    EGreedyModule,
    LSTMModule,
    QValueModule,
    TensorDictModule,
    TensorDictSequential,
    advance,
    buffers,
)
from frl.objectives import DQNLoss, SoftUpdate
from frl.transforms import (
    Compose,
    GrayScale,
    InitTracker,
    ObservationNorm,
    Resize,
    RewardScaling,
    StepCounter,
    ToTensorImage,
    TransformedEnv,
)


def pixels(size=84, frames=20):
    env = TransformedEnv(
        GymEnv("CartPole-v1", from_pixels=True),
        Compose(
            ToTensorImage(),
            GrayScale(),
            Resize(size, size),
            StepCounter(),
            InitTracker(),
            RewardScaling(loc=0.0, scale=0.1),
            ObservationNorm(standard_normal=True, in_keys=["pixels"]),
        ),
    )
    return env.transform[-1].init_stats(frames, reduce_dim=[0, 1, 2], cat_dim=0, keep_dims=[0])


def feature(num_cells=(32, 32, 64)):
    return TensorDictModule(
        ConvNet(
            num_cells=num_cells,
            squeeze_output=True,
            aggregator_class=nn.AdaptiveAvgPool2d,
            aggregator_kwargs={"output_size": (1, 1)},
        ),
        in_keys=["pixels"],
        out_keys=["embed"],
    )


def greedy_policy(env, num_cells=(32, 32, 64)):
    """The four modules; the output layer's bias begins at zero."""
    lstm = LSTMModule(num_cells[-1], 128, in_key="embed", out_key="embed")
    mlp = MLP(out_features=2, num_cells=[64])
    nn.init.zeros_(mlp[-1].bias)
    value = TensorDictModule(mlp, in_keys=["embed"], out_keys=["action_value"])
    policy = TensorDictSequential(
        feature(num_cells), lstm, value, QValueModule(action_space=None, spec=env.action_spec)
    )
    policy(env.reset())  # gives lazy layers their shapes
    return policy


def explorer(policy, env):
    return TensorDictSequential(policy, EGreedyModule(env.action_spec, annealing_num_steps=1_000_000, eps_init=0.2))


def learner(policy, env):
    """The loss, the first state of training and its step."""
    loss = DQNLoss(policy, action_space=env.action_spec, delay_value=True, double_dqn=True)
    optimizer = optim.adam(1e-4)
    params = loss.init()
    opt, exploration = optimizer.init(params["value"]), buffers(explorer(policy, env).module[1])
    train = TensorDict({"params": params, "opt": opt, "exploration": exploration})

    def learn(train, batch):
        params = train["params"]

        def objective(value):
            losses = loss(params.set("value", value), batch)
            return losses["loss"], losses

        grads, losses = torch.func.grad(objective, has_aux=True)(params["value"])
        value, opt = optim.step(optimizer, grads, train["opt"], params["value"])
        return train.update({"params": params.set("value", value), "opt": opt}), losses

    return loss, train, learn


def weights(train):
    """Those of the policy that explores."""
    return TensorDict({"module": {"0": train["params", "value"], "1": train["exploration"]}})


def after_batch(train, policy, frames):
    """ε falls with the frames, and the target moves towards what was learned."""
    params = SoftUpdate(eps=0.95)(train["params"])
    return train.update({"params": params, "exploration": advance(policy.module[1], train["exploration"], frames)})
