"""Schedules: expressions of EventBridge rules and EventBridge Scheduler, and when they are due."""
