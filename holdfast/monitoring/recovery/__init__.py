"""What to do about a fault: what to look at first, when to keep away, when to call service.

The texts are for people beside the site. None of them knows more than the tables of the safety
path: a fault is cleared by whom :mod:`holdfast.safety.clearing` says.
"""
