"""One file with all that a decision rests on, which an outsider verifies without this project."""
