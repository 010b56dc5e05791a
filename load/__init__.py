"""Loads of the services that this project's plans are about; docs/load.md says how to run one."""
