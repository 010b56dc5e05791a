"""What the checks of the bridge read: its API, its journals, and their own oracles."""
