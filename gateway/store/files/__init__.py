"""Files of a home: private, durable, found by key."""
