"""What lists and opens one user's memories."""
