"""A client sees a running site from outside: it reads its status, and sends commands.

Whoever asks loads nothing of who answers: no control loop, no driver, no optimizer.
"""
