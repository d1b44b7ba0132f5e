"""All that the twin changes in moto: a module for each thing patched. README.md lists every patch with its test."""
