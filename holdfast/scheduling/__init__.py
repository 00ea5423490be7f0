"""From prices, forecast and battery to a plan that the controller can follow."""
