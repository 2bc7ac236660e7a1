"""From submissions to signed, logged records."""
