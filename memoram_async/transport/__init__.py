"""Calls and pages: one call from its request to its answer, and lists a page at a time."""
