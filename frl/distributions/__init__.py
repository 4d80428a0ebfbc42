"""Distributions as immutable values: pure functions of their parameters, drawn from explicit keys."""

from frl.distributions.base import Distribution as Distribution
from frl.distributions.categorical import Categorical as Categorical
from frl.distributions.categorical import OneHotCategorical as OneHotCategorical
from frl.distributions.composite import CompositeDistribution as CompositeDistribution
from frl.distributions.delta import Delta as Delta
from frl.distributions.independent import Independent as Independent
from frl.distributions.kl import kl_divergence as kl_divergence
from frl.distributions.masked import MaskedCategorical as MaskedCategorical
from frl.distributions.masked import MaskedOneHotCategorical as MaskedOneHotCategorical
from frl.distributions.multi_categorical import MultiCategorical as MultiCategorical
from frl.distributions.multi_categorical import MultiOneHotCategorical as MultiOneHotCategorical
from frl.distributions.normal import Normal as Normal
from frl.distributions.tanh_normal import TanhNormal as TanhNormal
