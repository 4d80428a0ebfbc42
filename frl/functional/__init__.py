"""The mathematics of reinforcement learning on plain tensors: time on axis 0, a per-step scalar exactly [T, *B].

A bootstrap uses `terminated`, a recursion is cut by `terminated | truncated`; no function takes a bare `done`.
"""

from frl.functional.categorical_projection import categorical_projection as categorical_projection
from frl.functional.explained_variance import explained_variance as explained_variance
from frl.functional.gae import gae as gae
from frl.functional.huber import huber as huber
from frl.functional.moments import Moments as Moments
from frl.functional.moments import init_moments as init_moments
from frl.functional.moments import merge_moments as merge_moments
from frl.functional.moments import normalize as normalize
from frl.functional.moments import update_moments as update_moments
from frl.functional.policy_gradient import policy_gradient_loss as policy_gradient_loss
from frl.functional.ppo import adaptive_kl_coefficient as adaptive_kl_coefficient
from frl.functional.ppo import approx_kl as approx_kl
from frl.functional.ppo import clip_fraction as clip_fraction
from frl.functional.ppo import clipped_surrogate as clipped_surrogate
from frl.functional.ppo import clipped_value_loss as clipped_value_loss
from frl.functional.ppo import standardize as standardize
from frl.functional.ppo import surrogate as surrogate
from frl.functional.q_learning import double_q_target as double_q_target
from frl.functional.q_learning import q_learning_target as q_learning_target
from frl.functional.quantile_huber import quantile_huber_loss as quantile_huber_loss
from frl.functional.recurrence import affine_recurrence as affine_recurrence
from frl.functional.retrace import retrace as retrace
from frl.functional.returns import discounted_returns as discounted_returns
from frl.functional.returns import n_step_returns as n_step_returns
from frl.functional.returns import reward_to_go as reward_to_go
from frl.functional.td import td0_targets as td0_targets
from frl.functional.td import td_lambda_returns as td_lambda_returns
from frl.functional.vtrace import VTrace as VTrace
from frl.functional.vtrace import vtrace as vtrace
