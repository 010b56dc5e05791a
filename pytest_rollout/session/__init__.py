"""The composition root inside pytest: what is asked, collecting, recording, deciding."""
