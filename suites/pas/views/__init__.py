"""What the checks of PAS read: its services, programs, files and records."""
