"""What runs chosen statements: their stores buffered, every write with its inverse, values compared."""
