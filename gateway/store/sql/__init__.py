"""SQLite and PostgreSQL: opening, what differs, the tables of a home, many writes in one commit."""
