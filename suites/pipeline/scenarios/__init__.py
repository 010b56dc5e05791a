"""The work that is done once for a phase, and what was seen of it."""
