"""Nightly rules by simulation: false alarms a year, and how soon a slowdown is found."""
