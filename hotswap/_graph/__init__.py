"""Who depends on whom: modules by their imports, statements by the names that they bind, read and call."""
