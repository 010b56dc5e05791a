"""What the plugin costs, beside others that record."""
