"""Plugins that tests of the product need."""

pytest_plugins = ["pytester"]
