"""Alerts: what an alarm says, told to Slack, Teams and webhooks."""
