"""What a value may be: shape, dtype and range, with a zero, a draw, a check and a projection."""

from frl.specs.base import Spec as Spec
from frl.specs.boxes import CategoricalBox as CategoricalBox
from frl.specs.boxes import ContinuousBox as ContinuousBox
from frl.specs.composite import Composite as Composite
from frl.specs.continuous import Bounded as Bounded
from frl.specs.continuous import Unbounded as Unbounded
from frl.specs.conversion import from_gymnasium as from_gymnasium
from frl.specs.conversion import to_gymnasium as to_gymnasium
from frl.specs.discrete import Binary as Binary
from frl.specs.discrete import Categorical as Categorical
from frl.specs.discrete import OneHot as OneHot
from frl.specs.multi_discrete import MultiCategorical as MultiCategorical
from frl.specs.multi_discrete import MultiOneHot as MultiOneHot
