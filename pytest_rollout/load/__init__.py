"""Load that can be believed: plan it, run locust as a process, record it, and say what it is worth.

Nothing here imports locust, except for the modules of `generator/`, which run in its process.
"""
