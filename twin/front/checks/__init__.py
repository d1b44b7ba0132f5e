"""What AWS refuses before it does anything: addresses that do not hold, requests over a limit."""
