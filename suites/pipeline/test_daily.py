"""The daily run of each week: its configuration, its figures, its time, and who it meets."""
