"""This package leads from a site.yaml to its configuration, devices, control cycle and files."""
