"""Bad calls of what surrounds a training: callbacks, logs, checkpoints, progress and statistics."""

import sys
import tempfile
from contextlib import AbstractContextManager
from math import inf
from typing import Any
from unittest import mock

import torch

from frl import TensorDict, training
from tests.bad_input.case import KEY, TD, bad, ints, ones, zeros
from tests.bad_input.environments import CART
from tests.bad_input.learning import ppo
from tests.bad_input.modules import linear
from tests.bad_input.recording import inside

PAIR = TensorDict({"step": torch.tensor([3, 4])})
HYPER = TensorDict({"train": {"hyper": {"gamma": torch.tensor([0.9, 0.99])}}})
METRICS = TensorDict({"loss": zeros(2)})
LOOP = training.on_policy(CART, ppo(), 4)
CALLBACK = "pass a function of (updates, state, metrics)"


def logged(log: AbstractContextManager[training.run.Callback], state: TensorDict = PAIR) -> None:
    with log as callback:
        callback(1, state, METRICS)


def csv(*arguments: Any) -> None:
    inside(lambda directory: logged(training.csv_log(directory / "log.csv", *arguments)))


def board(state: TensorDict, *arguments: Any) -> None:
    inside(lambda directory: logged(training.tensorboard_log(directory, *arguments), state))


def without_wandb() -> None:
    with mock.patch.dict(sys.modules, {"wandb": None}):
        logged(training.wandb_log("/none"))


def latest_of_one_that_is_empty() -> Any:
    with tempfile.TemporaryDirectory() as directory:
        path = training.save(directory, TensorDict({"w": ones(1)}), 1)
        (path / "manifest.json").write_bytes(b"")
        return training.load_latest(directory)


CALLBACKS = {
    "chunks that do not divide a population": bad(
        lambda: training.population(LOOP, 4, 3), ValueError, "chunk is 3", "4 members", "choose a divisor"
    ),
    "a member that there is not": bad(
        lambda: training.member(PAIR, 2), IndexError, "index is 2", "has 2 members, 0 to 1"
    ),
    "a member of a single training": bad(
        lambda: training.member(TensorDict({"step": torch.tensor(3)}), 0), ValueError, "member", "pass the states of"
    ),
    "a hyperparameter that is none": bad(
        lambda: training.vary(HYPER, {"num_epochs": [1, 2]}), KeyError, "vary", "'num_epochs'", "['gamma']"
    ),
    "hyperparameters for another number of members": bad(
        lambda: training.vary(HYPER, {"gamma": [0.5]}), ValueError, "'gamma'", "[1], expected [2]", "for each member"
    ),
    "a grid without a value": bad(lambda: training.grid({"gamma": []}), ValueError, "values of gamma", "at least 1"),
    "a grid without a seed": bad(lambda: training.grid({}, 0), ValueError, "num_seeds is 0", "at least 1"),
    "scores for another number of members": bad(
        lambda: training.halve(HYPER, ones(3)), ValueError, "halve", "[3], expected [2]", "for each member"
    ),
    "more members than there are": bad(lambda: training.halve(HYPER, ones(2), 3), ValueError, "keep", "3", "at most 2"),
    "an unknown hyperparameter to explore": bad(
        lambda: training.exploit(HYPER, ones(2), KEY, {"lr": (0, 1)}), KeyError, "exploit", "'lr'", "['gamma']"
    ),
    "more than half of a population to be replaced": bad(
        lambda: training.exploit(HYPER, ones(2), KEY, {}, 0.6), ValueError, "fraction", "0.6", "at most 0.5"
    ),
    "a population of no member": bad(
        lambda: training.population(LOOP, 0), ValueError, "population: n is 0", "must be at least 1"
    ),
    "a training from a seed": bad(lambda: LOOP.init(0), TypeError, "key=", "got 0", "frl.random.key(0)"),
    "a loop for its step": bad(
        lambda: training.train(LOOP, PAIR, 1), TypeError, "train: step is a Loop", "pass the step of a loop"
    ),
    "a callback for a list of them": bad(
        lambda: training.train(LOOP.step, PAIR, 1, print),
        TypeError,
        "train: callbacks is a function",
        "write [callback]",
    ),
    "a period in the callback's place": bad(
        lambda: training.every(print, 10), TypeError, "every: callback is a int", CALLBACK
    ),
    "a measurement of nothing": bad(
        lambda: training.measured(METRICS, []), TypeError, "measure is a TensorDict", "pass a function of the state"
    ),
    "a measurement for no callback": bad(
        lambda: training.measured(len, [print, None]), TypeError, "measured: callback 1 is a NoneType", CALLBACK
    ),
    "a return for a condition": bad(
        lambda: training.stop_when(475), TypeError, "stop_when: condition is a int", "pass a function of the metrics"
    ),
    "a condition of each member": bad(
        lambda: training.stop_when(lambda metrics: metrics["loss"] > 0)(1, PAIR, METRICS),
        *(ValueError, "stop_when", "shape [2]", "must be one truth", "end it by .all() or .any()"),
    ),
    "a metric that is infinite": bad(
        lambda: training.require_finite(7, PAIR, TensorDict({"loss": torch.tensor(inf)})),
        *(ValueError, "update 7", "loss is inf", "lower the learning rate"),
    ),
    "no checkpoint kept": bad(
        lambda: training.save_checkpoint("/none", keep=0), ValueError, "keep is 0", "must be at least 1"
    ),
    "a checkpoint with metadata that no file can hold": bad(
        lambda: inside(lambda directory: training.save_checkpoint(directory, {"x": object()})(1, PAIR, METRICS)),
        *(TypeError, "metadata", "object", "must be of JSON's types", "not JSON serializable"),
    ),
}
FILES = {
    "discarding negative steps": bad(
        lambda: training.discard("/none", -1), ValueError, "discard: step is -1", "must be at least 0"
    ),
    "discarding half a step": bad(
        lambda: training.discard("/none", 1.5), TypeError, "discard: step is 1.5", "must be an integer"
    ),
    "the latest of one that is empty": bad(
        latest_of_one_that_is_empty, training.CorruptCheckpoint, "manifest.json", "JSON", "load an earlier checkpoint"
    ),
    "one seed for two members": bad(
        lambda: csv([0]), ValueError, "csv_log: seeds is [0]", "2 members", "pass one seed for each"
    ),
    "a log from a negative update": bad(
        lambda: csv([0, 1], -1), ValueError, "csv_log: start is -1", "must be at least 0"
    ),
    "a board from a negative step": bad(
        lambda: board(PAIR, -1), ValueError, "tensorboard_log: resume_step is -1", "must be at least 0"
    ),
    "a board without steps": bad(lambda: board(TD), KeyError, "no entry 'step'", "it has ['observation', 'reward']"),
    "W&B without its library": bad(without_wandb, ImportError, "wandb is not installed", "pip install 'frl[wandb]'"),
    "settings in a list": bad(
        lambda: logged(training.wandb_log("/none", [("lr", 1.0)])), TypeError, "config is a list", "must be a mapping"
    ),
    "progress towards nothing": bad(
        lambda: logged(training.progress(0)), ValueError, "progress: total is 0", "must be at least 1"
    ),
    "progress from below nothing": bad(
        lambda: logged(training.progress(9, -1)), ValueError, "progress: done is -1", "must be at least 0"
    ),
    "the hash of a number": bad(
        lambda: training.state_hash({"w": 0.5}), TypeError, "state_hash: w is a float", "torch.as_tensor"
    ),
    "the hash of a module": bad(
        lambda: training.state_hash(linear()), TypeError, "the state is a Linear", "must be a tensor"
    ),
}
STATISTICS = {
    "a confidence in percent": bad(
        lambda: training.bootstrap_interval(zeros(9), KEY, confidence=95), ValueError, "confidence is 95", "below 1"
    ),
    "no resample": bad(
        lambda: training.bootstrap_interval(zeros(9), KEY, num_resamples=0), ValueError, "num_resamples", "at least 1"
    ),
    "whole numbers between quartiles": bad(
        lambda: training.interquartile_mean(ints(3)), TypeError, "values is torch.int64", ".float()"
    ),
    "nothing between quartiles": bad(
        lambda: training.interquartile_mean(zeros(0)), ValueError, "shape [0]", "with n at least 1"
    ),
    "the summary of a list": bad(
        lambda: training.summarize([1.0, 2.0], KEY), TypeError, "summarize: values is a list", "torch.as_tensor"
    ),
    "the summary of several rows": bad(
        lambda: training.summarize(zeros(2, 3), KEY), ValueError, "shape [2, 3]", "pass one row at a time"
    ),
}
TRAINING = {**CALLBACKS, **FILES, **STATISTICS}
