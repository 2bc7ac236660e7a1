"""Placeholder."""

import typer

app = typer.Typer()


def register(root: typer.Typer) -> None:
    """Add."""
