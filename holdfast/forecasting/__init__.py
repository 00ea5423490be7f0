"""Forecasting tells what load and PV will likely be, from what they were."""
