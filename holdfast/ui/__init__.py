"""What people see of a site in a browser: the built pages, and plain ones that need no script."""
