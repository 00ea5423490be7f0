"""Proofs about the safety path: for all inputs, by an SMT solver; for all states, by search.

``python -m proofs`` runs them all. They need the extra ``prove`` (z3-solver).
"""
