"""HTTP servers of the twin."""
