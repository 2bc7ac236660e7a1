"""From rows of platforms to acts that are prepared: read, compared, capped; nothing is decided yet."""
