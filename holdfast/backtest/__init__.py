"""Backtests tell what plans and simpler rules would have cost on measured load, PV and prices."""
