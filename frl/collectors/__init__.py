"""Experience: acting in environments and gathering what happened."""

from frl.collectors.collect import collect as collect
from frl.collectors.collect import start as start
