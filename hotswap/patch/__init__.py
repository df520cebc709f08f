"""Stage 10: alter live objects, in place. Every write goes through a journal; nothing here decides what to patch."""
