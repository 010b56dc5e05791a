"""Asking what the `check:` of a criterion asks: one module a means, none of pytest in it."""
