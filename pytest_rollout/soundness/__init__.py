"""Whether a plan is sound: what its rules can never say, or say too often."""
