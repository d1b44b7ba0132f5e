"""API Gateway HTTP APIs of the twin: routes, authorizers and Lambda proxy integrations on a local port."""
