"""Agreements and transfers: quoted, shown, carried out, carried in files."""
