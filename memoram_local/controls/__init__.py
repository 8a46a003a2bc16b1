"""What a platform carries for tests: faults, policies, a journal, snapshots and seeds."""
