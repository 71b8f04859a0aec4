"""What is kept about the user: where it is, how it is handed over, and how it is erased."""
