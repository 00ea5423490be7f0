"""Another release onto this computer: verified, built beside the one that runs, tried, kept."""
