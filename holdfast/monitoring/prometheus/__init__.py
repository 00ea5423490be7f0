"""What others watch the site with, made from our tables: alert rules and dashboards."""
