"""The four processes, the real-time loop, and what goes between them."""
