"""What happens in the phases of PAS, once for all the checks that read it."""
