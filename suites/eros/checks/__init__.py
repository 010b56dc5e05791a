"""Checks that several phases share; each phase's module imports those that it states."""
