"""Distributed Maps: their fields, items, batches, child executions, results, and what is known of each Map Run."""
