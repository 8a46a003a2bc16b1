"""Getting access: requests looked up, asked for and waited for, and what ends it."""
