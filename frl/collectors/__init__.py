"""Experience: acting in environments and gathering what happened."""

from frl.collectors.base import DataCollector as DataCollector
from frl.collectors.collect import collect as collect
from frl.collectors.collect import start as start
from frl.collectors.collector import Collector as Collector
from frl.collectors.multi import MultiAsyncCollector as MultiAsyncCollector
from frl.collectors.multi import MultiSyncCollector as MultiSyncCollector
