"""What platforms have agreed on, and pauses of their corridors."""
