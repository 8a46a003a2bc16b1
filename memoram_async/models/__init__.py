"""The models: attrs classes, read from the wire in one place."""
