"""The seam: all that may block or suspend, and its async implementation on anyio and an HTTP client."""
