"""Every key of the files that people write: name, kind of value, meaning, default, example.

The reader, the JSON Schemas and docs/reference/plan.md come from these tables.
"""
