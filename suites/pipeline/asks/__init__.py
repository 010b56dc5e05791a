"""What the plan itself asks and does: programs for `check:` and for the steps of a rollback."""
