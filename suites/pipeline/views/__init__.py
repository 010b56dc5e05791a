"""What the suite of the pipeline reads."""
