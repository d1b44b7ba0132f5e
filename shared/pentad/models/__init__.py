"""The model gateway: routing, fallback, retries, cost."""
