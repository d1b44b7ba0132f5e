"""Builds of Lambda layers and function assets, without Docker."""
