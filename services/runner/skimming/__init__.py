"""A backtest that passes over the stretches in which nothing happens, and decides all else as every session does."""
