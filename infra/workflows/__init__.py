"""Workflows of the user, built from orchestration's fragments."""
