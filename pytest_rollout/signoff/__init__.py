"""Who may start what, and when: from decisions, signatures and the calendar."""
