"""Systems under test: starting and stopping embedded ones, talking to them, faults."""
