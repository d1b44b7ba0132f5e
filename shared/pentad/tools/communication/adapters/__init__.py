"""Servers and services that carry messages to people."""
