"""What a game is tuned by: edit this while it runs."""

GRAVITY = 400.0  # pixels per second, per second
BOUNCE = 0.9
SIZE = (640, 360)
COLOUR = (240, 200, 80)
