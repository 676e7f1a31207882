"""Turns candles into signals, intents and orders."""
