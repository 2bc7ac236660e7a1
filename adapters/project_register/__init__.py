"""Registers of projects' reductions, issued in tonnes with serial numbers (an assumed format)."""

from adapters.project_register.adapter import ProjectRegisterAdapter

__all__ = ["ProjectRegisterAdapter"]
