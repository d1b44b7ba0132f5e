"""Read what others wrote: take what has one meaning only, whatever its form."""
