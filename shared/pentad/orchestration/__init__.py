"""Orchestration: runs, turns, decisions, approvals."""
