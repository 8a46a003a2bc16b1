"""What the store holds for Memory API, the second service: tables of its own, and units of work on them."""
