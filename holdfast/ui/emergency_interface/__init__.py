"""The emergency interface works while the rest is broken: plain pages, one red button, no script.

It needs the standard library, the controller's status and its socket for stops; no login, no
API, no planner, no disk. One step stops the site, two start it.
"""
