"""Monthly settlement files: a heading with control totals, then the acts (an assumed format)."""

from adapters.monthly_settlement.adapter import MonthlySettlementAdapter

__all__ = ["MonthlySettlementAdapter"]
