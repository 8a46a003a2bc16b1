"""The REST API of Memory API, the second service: envelopes, keys with scopes, memories and queries."""
