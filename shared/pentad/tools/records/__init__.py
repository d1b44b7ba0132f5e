"""Records: the tables that a tool was granted, narrowed to its tenant."""
