"""What runs a state machine: executions, environments, histories, definitions."""
