"""How the suite sees the pipeline: GitHub, telemetry, files, messages."""
