"""Records of kinds that a deployment names, in the table of tools."""
