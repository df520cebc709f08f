"""A ball that bounces, for ever.

    python -m hotswap examples/game/game.py

Then edit settings.py, entities.py, or the loop below, while it runs. Without a screen: SDL_VIDEODRIVER=dummy.
"""

import json
import sys

import pygame
from entities import KINDS, Ball, Spark
from settings import SIZE

import hotswap


def main(frames: int, every: int) -> None:
    """Run `frames` frames (0: until the window is closed) and print a line of state each `every` frames (0: never)."""
    pygame.display.init()
    screen = pygame.display.set_mode(SIZE)
    balls = [Ball(100 * i + 60, 40) for i in range(5)]
    sparks = [Spark(i, i) for i in range(100)]
    score = count = 0
    for dt in hotswap.frames(pygame.time.Clock(), 60):
        if any(event.type == pygame.QUIT for event in pygame.event.get()) or (frames and count >= frames):
            break
        screen.fill((20, 20, 40))
        for entity in balls:
            entity.update(dt)
            entity.draw(screen)
        for spark in sparks:
            spark.update(dt)
        score += 1
        count += 1
        pygame.display.flip()
        if every and count % every == 0:
            state = {"count": count, "score": score, "x": [ball.x for ball in balls], "spark": sparks[0].x}
            print(json.dumps({**state, "kinds": list(KINDS)}), flush=True)
    pygame.quit()


if __name__ == "__main__":
    main(*map(int, (*sys.argv[1:3], 0, 0)[:2]))
