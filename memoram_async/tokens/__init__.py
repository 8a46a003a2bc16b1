"""The developer JWT: fetched once however many callers, and shared between processes on request."""
