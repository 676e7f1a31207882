"""What the runner shows to Prometheus beyond what every service does."""

from prometheus_client import Counter, Gauge

SLICES = Counter("leitstand_slices", "Slices of the market that the runner has decided on.")
ORDERS_IN_FLIGHT = Gauge("leitstand_orders_in_flight", "Orders intended and not yet filled, refused or cancelled.")
MARKET_TIME = Gauge("leitstand_runner_market_time_seconds", "The market's clock, in seconds since 1970 (UTC).")
CLOCK_OFFSET = Gauge("leitstand_venue_clock_offset_seconds", "How far our clock is ahead of the venue's.", ["venue"])
WAITS = Counter("leitstand_guard_waits", "Times that the market stood still for more than a second for the guard.")
