"""How Holdfast comes onto a computer, stays there, and is kept in order."""
