"""All of a site that is worth keeping in one file, and back from there into an empty folder."""
