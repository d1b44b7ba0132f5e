"""Providers: what is sent to them, what comes back, and what their errors mean."""
