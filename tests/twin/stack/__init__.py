"""The whole stack on the twin: real HTTP in front, real functions behind, one twin for all workers."""
