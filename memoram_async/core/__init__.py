"""Decisions without I/O: no network, no clock, no loop. Time and randomness come in as arguments."""
