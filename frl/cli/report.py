"""How an evaluation is told."""

from collections.abc import Mapping, Sequence

from torch import Tensor

from frl import random
from frl.training.statistics import Summary, shown, summarize
from frl.training.sweep import told, trials


def print_evaluation(
    returns: Tensor, seeds: Sequence[int], varied: Mapping[str, Sequence[float]] | None = None
) -> None:
    """Prints what the returns [members, episodes] say; the mean stands on the last line.

    Members are the seeds, or, where hyperparameters are `varied`, these for each combination, which has a line.

    >>> import torch
    >>> print_evaluation(torch.full((2, 100), 500.0), [0, 1])
    seed 0: mean 500.0, 95 % interval [500.0, 500.0], interquartile mean 500.0
    seed 1: mean 500.0, 95 % interval [500.0, 500.0], interquartile mean 500.0
    over 2 seeds: mean 500.0, 95 % interval [500.0, 500.0], interquartile mean 500.0
    evaluation: mean return 500.0 over 200 episodes
    """
    key = random.key(0)
    if varied:
        for trial in trials(varied, returns.mean(1)):
            over = f" over {len(trial.scores)} seeds" if len(trial.scores) > 1 else ""
            print(f"{told(trial.hyperparameters)}{over}: {_words(summarize(trial.scores, key))}")
    else:
        for seed, row in zip(seeds, returns, strict=True):
            print(f"seed {seed}: {_words(summarize(row, key))}")
        if len(seeds) > 1:
            print(f"over {len(seeds)} seeds: {_words(summarize(returns.mean(1), key))}")
    print(f"evaluation: mean return {shown(returns.mean().item())} over {returns.numel()} episodes", flush=True)


def _words(summary: Summary) -> str:
    interval = f"[{shown(summary.low)}, {shown(summary.high)}]"
    return f"mean {shown(summary.mean)}, 95 % interval {interval}, interquartile mean {shown(summary.iqm)}"
