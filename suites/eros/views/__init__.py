"""How the suite sees the target: its runs, its router, its schedules, and what the plan says of them."""
