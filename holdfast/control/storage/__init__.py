"""Storage units get the site's request divided, ramped and handed to the wrappers of each."""
