"""What `rollout init` writes: a plan, its checks and what stands around them, from templates."""
