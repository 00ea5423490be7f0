"""The limits at the meter are a layer of their own: they hold whoever asks."""
