"""Approvals: asking humans, checking and carrying out what they decide."""
