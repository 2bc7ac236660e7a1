"""Banks' tables of customers' low-carbon acts: a title above, control totals below (an assumed format)."""

from adapters.bank_acts.adapter import BankActsAdapter

__all__ = ["BankActsAdapter"]
