"""The status is what the controller tells the world, layer by layer, five times a second."""
