"""The process that a platform runs in: its server, its event loops, its interpreter."""
