"""Five public texts that teach TorchRL and tensordict, as tests: what each shows and prints holds in frl.

- 000: "torchrl: #1 tensordict" by sakakibara, in Japanese, 9 May 2024: TensorDict, and modules upon it.
- 001: "torchrl: #2", its sequel of 15 May 2024: DQN with an LSTM, from pixels and a replay buffer of trajectories.
- 002: "TorchRL Modules", in Korean, 21 December 2024: policies, exploration, Q-values, after the tutorial 004.
- 003: "Introduction to TorchRL", the demo of ICML 2022, in Chinese: a tour from TensorDict to collectors and losses.
- 004: "Get started with TorchRL's modules" by Vincent Moens, in English: an older state of what 002 retells.

`rows.csv` says which test shows which thing of which document. `python -m tests.seeds` runs them.
"""
