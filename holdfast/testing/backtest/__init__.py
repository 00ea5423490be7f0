"""Backtest: what plans would have cost on measured load, PV and prices, beside simpler rules."""
