"""The table of what the twin changes in moto."""
