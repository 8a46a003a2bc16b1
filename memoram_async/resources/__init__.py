"""The resources of the services, one module each."""
