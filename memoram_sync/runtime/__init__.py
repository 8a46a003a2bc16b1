"""The blocking runtime, which the rest of the package is a generated facade over."""
