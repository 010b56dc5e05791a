"""Asking a system, one module a kind: what a `check:` of the plan asks, and helpers for suites.

None of pytest in it.
"""
