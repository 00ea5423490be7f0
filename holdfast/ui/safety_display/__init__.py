"""The safety display shows at a glance whether the site is safe, as plain HTML.

It needs no script, nothing of the pages, and of the site its status alone.
"""
