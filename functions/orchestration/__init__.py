"""Functions/orchestration."""
