"""Pentad: the production AI agent stack for AWS, five layers that work as one system."""
