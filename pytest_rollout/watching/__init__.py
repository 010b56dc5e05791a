"""Watching a phase: asking again and again, beating into the ledger, going back after a trip."""
