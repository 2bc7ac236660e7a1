"""Points that move between platforms: quoted, started, carried out, answered, proved."""
