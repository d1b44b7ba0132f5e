"""Tests of the alarms' table."""
