"""Figures, captions, tables and pages."""

import logging

# Without a writable home, matplotlib warns that its list of fonts is kept elsewhere: nothing a user can act on.
logging.getLogger("matplotlib").setLevel(logging.ERROR)
