"""How the suite sees the target: the portfolio, the host, panels, figures, the report."""
