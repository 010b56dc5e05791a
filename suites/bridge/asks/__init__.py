"""What the plan itself asks: programs for `check:` of guardrails."""
