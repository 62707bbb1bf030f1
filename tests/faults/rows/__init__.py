"""Rows of the fault table: one module for a fault, or for several that are alike.

Each has `ROWS`, a tuple of `tests.faults.table.Row`.
"""
