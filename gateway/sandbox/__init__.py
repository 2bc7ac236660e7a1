"""Sandbox cities: invented activity that behaves like the real thing, for the demo and for tests."""

from gateway.sandbox.activity import SandboxFile, sandbox_files
from gateway.sandbox.yunxi import YUNXI_MAPPING

__all__ = ["YUNXI_MAPPING", "SandboxFile", "sandbox_files"]
