"""The HTTP API and its authorizer."""
