"""Rules: what an owner sets up without code, and what comes of it."""
