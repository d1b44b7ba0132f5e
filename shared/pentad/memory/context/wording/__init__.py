"""Words of many languages by which a message greets, ends, or leans on the one before."""
