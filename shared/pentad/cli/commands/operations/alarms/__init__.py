"""The drill of a stage's alarms: real faults on a twin, and signals that are played."""
