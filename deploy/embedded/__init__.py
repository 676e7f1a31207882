"""NATS, PostgreSQL and the four services on one machine, with nothing installed."""
