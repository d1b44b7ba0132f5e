"""The event bus: which rule an event matches, and the events of S3 and Step Functions."""
