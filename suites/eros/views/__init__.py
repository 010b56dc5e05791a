"""How the suite sees the target: its runs, router and schedules, and what the plan says of them."""
