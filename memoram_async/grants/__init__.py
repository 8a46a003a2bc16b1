"""Which of an application's users let it in: grants, where they are kept, and connecting users."""
