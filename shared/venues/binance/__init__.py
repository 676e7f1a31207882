"""Binance spot, by its REST interface and its streams."""
