"""The service: its processes, its doors, what watches it, and those who speak to one."""
