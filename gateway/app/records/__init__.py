"""From submissions to records, and everything that is asked of records afterwards."""
