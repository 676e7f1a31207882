"""A simulated exchange: a pure core (`book`, `entry`, `matching`) and the adapter `PaperVenue`."""

from shared.venues.paper.book import Book, account, opened, order
from shared.venues.paper.entry import cancel, submit
from shared.venues.paper.matching import match
from shared.venues.paper.recording import Rebuild
from shared.venues.paper.venue import PaperVenue

__all__ = ["Book", "PaperVenue", "Rebuild", "account", "cancel", "match", "opened", "order", "submit"]
