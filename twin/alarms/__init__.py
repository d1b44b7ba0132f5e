"""CloudWatch's metrics and alarms: what moto stores but never looks at."""
