"""Peers are other programs, made again from what their documentation says, to compare with.

They are not these programs: what the documentation leaves open was filled in, and says so.
"""
