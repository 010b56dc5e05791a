"""The stand-in for Grafana as an application; its web framework is loaded when it is asked for."""

from __future__ import annotations

from pytest_rollout.extras import needs_extra
from pytest_rollout.monitoring.grafana import Grafana
from pytest_rollout.targets.reference import AsgiApp


def serve_grafana(grafana: Grafana) -> AsgiApp:
    """Return the ASGI application of a Grafana; raises MissingToolError without FastAPI."""
    needs_extra("targets", "fastapi")
    from pytest_rollout.monitoring.grafana_api import application

    return application(grafana)
