"""Watching a target with real tools: Prometheus and Alertmanager, and a stand-in for Grafana.

::

    with Receivers() as receivers:
        routes = Routes(receivers, "#ops", "ops@example.com")
        with Alertmanager(folder, routes) as alertmanager:
            with Prometheus(folder, "http://127.0.0.1:6100", alertmanager.url) as prometheus:
                prometheus.load(rules)
                prometheus.ask("query", query="up")

Prometheus and Alertmanager are the programs of that name (on Debian the packages prometheus and
prometheus-alertmanager); they run as children on loopback ports and end with their parent.
"""
