"""`python -m pytest_rollout.cli`: the `rollout` command without its script."""

from pytest_rollout.cli import main

main()
