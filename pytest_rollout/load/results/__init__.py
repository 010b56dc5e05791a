"""Files of other tools as figures, a module a format: bytes in, figures with doubts out. Pure."""
