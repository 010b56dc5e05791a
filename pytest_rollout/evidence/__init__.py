"""Sealed records of what was seen: writing them to the ledger, reading them as a world."""
