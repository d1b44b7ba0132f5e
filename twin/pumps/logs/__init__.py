"""Subscription filters of log groups."""
