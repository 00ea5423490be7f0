"""This package holds the processes of a site, the real-time loop, and what goes between them."""
