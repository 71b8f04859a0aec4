"""What is kept on disk, in SQLite: conversations, the journal of running answers, search, the ledger."""
