"""The wizard asks what a site is made of, and writes its site.yaml; a terminal or a page asks."""
