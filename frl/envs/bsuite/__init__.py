"""Five diagnostic problems of bsuite as pure torch functions: exploration, memory, credit assignment, discounting."""

from frl.envs.bsuite.catch import Catch as Catch
from frl.envs.bsuite.catch import CatchParams as CatchParams
from frl.envs.bsuite.deep_sea import DeepSea as DeepSea
from frl.envs.bsuite.deep_sea import DeepSeaParams as DeepSeaParams
from frl.envs.bsuite.discounting_chain import DiscountingChain as DiscountingChain
from frl.envs.bsuite.discounting_chain import DiscountingChainParams as DiscountingChainParams
from frl.envs.bsuite.memory_chain import MemoryChain as MemoryChain
from frl.envs.bsuite.memory_chain import MemoryChainParams as MemoryChainParams
from frl.envs.bsuite.umbrella_chain import UmbrellaChain as UmbrellaChain
from frl.envs.bsuite.umbrella_chain import UmbrellaChainParams as UmbrellaChainParams
