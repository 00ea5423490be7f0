"""The hostile bench: a plant and devices that share no code with Holdfast, and that lie to it."""
