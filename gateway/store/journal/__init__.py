"""What was decided of acts: batches, claims, links, agreements, publications; and how it is forgotten."""
