"""The API is what a running site offers over HTTP: reading it, live streams, and commands.

It decides nothing: what may be done the controller says, as it does to the command line.
"""
