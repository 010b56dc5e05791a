"""From rollout.yaml to the model, with every offence named by file and line."""
