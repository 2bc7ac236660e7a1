"""Accounts: whose they are, and what their residents agree to."""

import sqlite3
from typing import Any

from gateway.sandbox.city.refusals import Refusal, RefusalCode
from gateway.sandbox.city.work import Work

__all__ = ["ask_consent", "consent_state", "link_account", "settle_consent"]

Json = dict[str, Any]


def link_account(work: Work, document: Json) -> Json:
    """Say whose account a one-time code was shown to; the code is used up."""
    found = work.one("SELECT account, identity FROM residents WHERE code = ?", document["code"])
    if found is None:
        raise Refusal(RefusalCode.CODE_UNKNOWN, "there is no such code, or it was used", field="/code")
    work.db.execute(
        "UPDATE residents SET code = ? WHERE account = ?", ("-" + document["id"], found["account"])
    )
    return {"account": found["account"], "identity": found["identity"], "state": "linked"}


def ask_consent(work: Work, document: Json) -> Json:
    """Ask a resident; in the sandbox those agree at once whose city does not have them answer by hand."""
    if not work.one("SELECT 1 FROM residents WHERE account = ?", document["account"]):
        raise Refusal(RefusalCode.ACCOUNT_UNKNOWN, "there is no such account", field="/account")
    state = "asked" if work.city.asks else "given"
    values = (
        document["id"],
        document["account"],
        document["purpose"],
        document.get("transfer", ""),
        int(document.get("points", "0")),
        state,
    )
    work.db.execute("INSERT INTO consents VALUES (?, ?, ?, ?, ?, ?)", values)
    return {"state": state}


def consent_state(work: Work, consent: str) -> Json:
    """Return how a consent stands."""
    found = work.one("SELECT state FROM consents WHERE id = ?", consent)
    return {} if found is None else {"state": found["state"]}


def settle_consent(db: sqlite3.Connection, consent: str, *, state: str) -> None:
    """Answer for the resident."""
    changed = db.execute("UPDATE consents SET state = ? WHERE id = ?", (state, consent))
    if not changed.rowcount:
        raise Refusal(RefusalCode.NOT_FOUND, "there is no such consent")
