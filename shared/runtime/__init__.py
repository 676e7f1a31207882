"""The thin shell that all services share: settings, bus, log, metrics, health, clock, keys and the service loop."""
