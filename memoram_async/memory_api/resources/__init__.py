"""The operations of Memory API, one file a resource."""
