"""From the settings to a venue: how each one is reached, and what it needs for that.

A venue's client takes up to two seconds and 100 MB: nothing here imports one before it is connected to.
"""

from shared.venues.connecting.connectors import CONNECTORS, Connector
from shared.venues.connecting.keys import Keys

__all__ = ["CONNECTORS", "Connector", "Keys"]
