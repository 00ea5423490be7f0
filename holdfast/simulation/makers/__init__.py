"""What the makers' boxes do with what is written to them, as their documents and users tell."""
