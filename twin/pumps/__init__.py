"""The pumps: queue mappings, EventBridge rules, schedules and S3 notifications of the twin."""
