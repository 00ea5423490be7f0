"""Scheduling makes of prices, forecast and battery a plan that the controller can follow."""
