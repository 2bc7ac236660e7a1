"""One act counts once: links of accounts, claims on acts, and records that count no longer."""
