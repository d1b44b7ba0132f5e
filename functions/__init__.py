"""The handlers of the Lambda functions."""
