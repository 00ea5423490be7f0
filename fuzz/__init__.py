"""Fuzzing: whatever a device, a file, a market or a client sends is taken rightly, or refused.

Each decoder of what comes from outside is a row of ``fuzz/table.py``, with what must hold: nothing
but an error of our own comes out of it, what it accepts is finite and in its range, and it ends.
``python -m fuzz`` looks for inputs for which that is not so; the tests try a few of them.
"""
