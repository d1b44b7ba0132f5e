"""Commands for documents: upload and index them, list, read anew, delete."""
