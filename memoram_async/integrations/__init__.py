"""The SDK in other people's frameworks: a module each, and an extra each."""
