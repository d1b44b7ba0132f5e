"""Event source mappings: batches of SQS messages for functions."""
