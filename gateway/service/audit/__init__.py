"""Audit a home: rows, bytes, roots, statements, log, signatures, then every quantity."""

from gateway.service.audit.quick import QuickLook, Seen
from gateway.service.audit.report import AuditReport, Check
from gateway.service.audit.run import Auditing, audit_home
from gateway.service.audit.transfers import AuditedBooks

__all__ = ["AuditReport", "AuditedBooks", "Auditing", "Check", "QuickLook", "Seen", "audit_home"]
