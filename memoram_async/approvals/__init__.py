"""Waiting until the user decides: one hub for each client family."""
