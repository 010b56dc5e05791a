"""What GitHub says of pull requests: the only room that asks it."""
