"""Market data are price documents and tariffs. A missing price is missing, never invented."""
