"""The keys of one user: those at hand, where others come from, and where they are kept."""
