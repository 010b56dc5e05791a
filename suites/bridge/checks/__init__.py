"""Checks that several phases of the bridge share."""
