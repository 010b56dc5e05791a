"""The dashboard of the invariants: as Grafana imports it, and how it is built."""
