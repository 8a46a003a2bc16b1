"""What the platform is made of, for whatever answers requests."""
