"""What is lived through for a phase of the bridge, once, and read by several checks."""
