"""What the platform remembers: tables, threads that own connections, and the units of work on them."""
