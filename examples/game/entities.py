"""Things that move. Those that exist keep their place when this file is saved."""

import pygame
from settings import BOUNCE, COLOUR, GRAVITY, SIZE

KINDS: dict[str, type["Entity"]] = {}


class Entity:
    """Something with a place and a speed. Each subclass is registered, once."""

    radius = 12

    def __init_subclass__(cls) -> None:
        KINDS[cls.__name__] = cls

    def __init__(self, x: float, y: float) -> None:
        self.x, self.y, self.vx, self.vy = x, y, 90.0, 0.0

    def update(self, dt: float) -> None:
        self.x, self.y = self.x + self.vx * dt, self.y + self.vy * dt

    def draw(self, screen: pygame.Surface) -> None:
        pygame.draw.circle(screen, COLOUR, (self.x, self.y), self.radius)


class Ball(Entity):
    def update(self, dt: float) -> None:
        self.vy += GRAVITY * dt
        super().update(dt)
        if self.y > SIZE[1] - self.radius and self.vy > 0:
            self.y, self.vy = SIZE[1] - self.radius, -self.vy * BOUNCE
        if not self.radius < self.x < SIZE[0] - self.radius:
            self.vx = -self.vx


class Spark:
    """One of many: with slots, which keep their places too."""

    __slots__ = ("x", "y")

    def __init__(self, x: float, y: float) -> None:
        self.x, self.y = x, y

    def update(self, dt: float) -> None:
        self.x += 10 * dt
