"""The contract that this platform keeps, as an OpenAPI file of its own, and checks against it."""
