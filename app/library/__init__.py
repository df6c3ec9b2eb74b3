"""One SQLite database for each user and profile, its truth a log of create-only records in the object store."""
