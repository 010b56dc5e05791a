"""Drills: running a phase with known faults in its target, to prove that its gates can say no."""
