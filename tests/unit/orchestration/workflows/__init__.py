"""The services of workflows."""
