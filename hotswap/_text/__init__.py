"""From text to statements: read a file's text, compare two of them, blind to positions. Nothing is touched."""
