"""A remote site is another computer's: it is read, and asked, over its API.

It needs a library for HTTP, which a client on the site's own computer does without.
"""
