"""Safe points: where and when changes are applied, whose turn it is, and the hooks that are called there."""
