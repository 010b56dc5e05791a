"""Loads of the services that this project's plans are about.

docs/how-to/load.md says how to run one.
"""
