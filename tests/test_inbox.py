"""The inbox, on a clock that stands still unless it is moved."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from hotswap._inbox import Inbox
from hotswap._model import Batch, FileChange

if TYPE_CHECKING:
    from hotswap._model import ChangeKind

A, B, C = "/p/a.py", "/p/b.py", "/p/c.py"


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def inbox(clock: Clock) -> Inbox:
    return Inbox(clock=clock)


def change(path: str, kind: ChangeKind = "modified") -> FileChange:
    return FileChange(path, kind)


def taken(inbox: Inbox, *, at_once: bool = False) -> tuple[FileChange, ...] | None:
    batch = inbox.take(at_once=at_once)
    return None if batch is None else batch.changes


def test_new_inbox_is_empty(inbox: Inbox, clock: Clock) -> None:
    """Nothing is due, taken or held in an inbox that was given nothing."""
    assert inbox.empty
    assert inbox.due(clock.now) is None
    assert inbox.take() is None
    assert inbox.take(at_once=True) is None
    assert inbox.held() == ()
    assert not inbox.wait(0)


def test_single_change_is_due_after_the_shortest_quiet_period(inbox: Inbox, clock: Clock) -> None:
    """One save waits five milliseconds and no longer."""
    inbox.put(change(A))
    assert not inbox.empty
    assert inbox.due(clock.now) == pytest.approx(0.005)
    clock.now += 0.004
    assert inbox.take() is None
    clock.now += 0.002
    assert inbox.due(clock.now) == 0
    assert inbox.take() == Batch(1, (change(A),), 100.0)
    assert inbox.empty
    assert inbox.take() is None


def test_quiet_period_doubles_up_to_fifty_milliseconds(inbox: Inbox, clock: Clock) -> None:
    """Each change that keeps arriving makes the next quiet period twice as long, up to the longest."""
    waits = []
    for _ in range(6):
        inbox.put(change(A))
        waits.append(inbox.due(clock.now))
    assert waits == pytest.approx([0.005, 0.01, 0.02, 0.04, 0.05, 0.05])


def test_quiet_period_starts_short_again_for_the_next_batch(inbox: Inbox, clock: Clock) -> None:
    """A burst does not slow down the save that follows it after a while."""
    for _ in range(6):
        inbox.put(change(A))
    inbox.take(at_once=True)
    clock.now += 0.3
    inbox.put(change(B))
    assert inbox.due(clock.now) == pytest.approx(0.005)


def test_another_file_soon_after_goes_on_with_the_burst(inbox: Inbox, clock: Clock) -> None:
    """What was taken too soon, as its writer had to wait, does not have the rest taken bit by bit."""
    inbox.put(change(A), quiet=0.0)
    assert inbox.due(clock.now) == 0.0
    inbox.take()
    clock.now += 0.02
    inbox.put(change(A), quiet=0.0)
    assert inbox.due(clock.now) == 0.0
    inbox.take()
    clock.now += 0.02
    inbox.put(change(B), quiet=0.0)
    assert inbox.due(clock.now) == pytest.approx(0.005)
    clock.now += 0.005
    inbox.take()
    inbox.put(change(C), quiet=0.0)
    assert inbox.due(clock.now) == pytest.approx(0.01)


def test_given_quiet_period_above_the_longest_is_kept(clock: Clock) -> None:
    """A longer first quiet period is not cut down by the second change."""
    inbox = Inbox(clock=clock, quiet=0.1)
    inbox.put(change(A))
    inbox.put(change(B))
    assert inbox.due(clock.now) == pytest.approx(0.1)


def test_endless_burst_is_taken_after_the_cap(inbox: Inbox, clock: Clock) -> None:
    """Changes that never stop are put off for 0.3 seconds after the first, no longer."""
    for _ in range(16):
        inbox.put(change(A))
        assert inbox.take() is None
        clock.now += 0.019
    assert inbox.due(clock.now) == 0
    assert taken(inbox) == (change(A),)


def test_a_batch_is_taken_with_what_comes_while_it_is_read(inbox: Inbox, clock: Clock) -> None:
    """The first file of a burst goes back to the others, which wait for a quiet period, and not for longer than any."""
    inbox.put(change(A), quiet=0.0)
    batch = inbox.take()
    assert batch is not None
    assert not inbox.give_back(batch)
    clock.now += 0.001
    inbox.put(change(B), quiet=0.0)
    assert inbox.give_back(batch)
    assert inbox.due(clock.now) == pytest.approx(0.005)
    clock.now += 0.006
    whole = inbox.take()
    assert whole == Batch(2, (change(A), change(B)), 100.0)
    inbox.put(change(C), quiet=0.0)
    clock.now = 100.3
    assert not inbox.give_back(whole)
    assert taken(inbox) == (change(C),)


def test_the_same_file_saved_again_while_it_is_read_is_due_at_once(inbox: Inbox, clock: Clock) -> None:
    """Of two saves of one file the second is whole as well: nothing is waited for."""
    inbox.put(change(A), quiet=0.0)
    batch = inbox.take()
    inbox.put(change(A), quiet=0.0)
    assert batch is not None
    assert inbox.give_back(batch)
    assert inbox.due(clock.now) == 0.0


def test_a_wider_quiet_period_is_for_one_batch(inbox: Inbox, clock: Clock) -> None:
    """What a loop asks for its own batch does not slow down the saves after it."""
    inbox.put(change(A), quiet=0.0)
    assert inbox.widen(0.1)
    clock.now += 0.1
    assert not inbox.widen(0.1)
    assert taken(inbox) == (change(A),)
    inbox.put(change(A), quiet=0.0)
    assert inbox.due(clock.now) == 0.0


def test_what_was_whole_once_is_not_asked_for_again(clock: Clock) -> None:
    """A tool at work is looked for once a batch, and again when more came."""
    asked: list[float] = []

    def patience(_: float) -> float:
        asked.append(clock.now)
        return 0.0

    inbox = Inbox(clock=clock, patience=patience)
    inbox.put(change(A), quiet=0.0)
    assert inbox.due(clock.now) == 0.0
    assert taken(inbox) == (change(A),)
    assert len(asked) == 1
    inbox.put(change(A), quiet=0.0)
    assert taken(inbox) == (change(A),)
    assert len(asked) == 2


def test_at_once_ignores_the_quiet_period(inbox: Inbox) -> None:
    """A batch asked for at once has what arrived this moment."""
    inbox.put(change(A))
    assert taken(inbox, at_once=True) == (change(A),)


def test_batches_are_numbered_from_one(inbox: Inbox, clock: Clock) -> None:
    """Each batch has the next number and the time of its own first change."""
    inbox.put(change(A))
    inbox.take(at_once=True)
    clock.now = 200.0
    inbox.put(change(B))
    clock.now = 200.004
    inbox.put(change(C))
    assert inbox.take(at_once=True) == Batch(2, (change(B), change(C)), 200.0)


@pytest.mark.parametrize(
    ("kinds", "merged"),
    [
        (["created", "modified"], "modified"),
        (["modified", "deleted"], "deleted"),
        (["deleted", "created"], "modified"),
        (["deleted", "modified"], "modified"),
        (["created", "deleted"], "deleted"),
        (["deleted", "created", "deleted"], "deleted"),
    ],
)
def test_changes_of_one_path_are_merged(inbox: Inbox, kinds: list[ChangeKind], merged: ChangeKind) -> None:
    """The last kind counts, but what was deleted and created is modified."""
    for kind in kinds:
        inbox.put(change(A, kind))
    assert taken(inbox, at_once=True) == (change(A, merged),)


def test_held_changes_make_no_batch(inbox: Inbox, clock: Clock) -> None:
    """What is held alone is neither due nor taken, however long it waits, and the inbox counts as empty."""
    inbox.hold([change(A), change(B)])
    clock.now += 1000
    assert inbox.empty
    assert inbox.due(clock.now) is None
    assert inbox.take() is None
    assert inbox.take(at_once=True) is None
    assert inbox.held() == (change(A), change(B))


def test_held_changes_ride_with_the_next_batch(inbox: Inbox) -> None:
    """The next save tries a held group again, once, and merges with it."""
    inbox.hold([change(A, "deleted"), change(B)])
    inbox.put(change(C))
    inbox.put(change(A, "created"))
    assert inbox.held() == (change(A, "deleted"), change(B))
    assert taken(inbox, at_once=True) == (change(A), change(B), change(C))
    assert inbox.held() == ()


def test_deferred_change_is_due_after_its_time(inbox: Inbox, clock: Clock) -> None:
    """An emptied file, put off for two seconds, makes a batch then and not earlier."""
    inbox.put(change(A), not_before=2.0)
    assert not inbox.empty
    assert inbox.due(clock.now) == pytest.approx(2.0)
    clock.now += 1.9
    assert inbox.take() is None
    clock.now += 0.2
    assert inbox.take() == Batch(1, (change(A),), 100.0)
    assert inbox.empty


def test_deferred_change_stays_when_others_are_taken(inbox: Inbox, clock: Clock) -> None:
    """A batch of other files does not bring a deferred one forward."""
    inbox.put(change(A), not_before=2.0)
    inbox.put(change(B))
    clock.now += 0.1
    assert taken(inbox) == (change(B),)
    assert not inbox.empty
    assert inbox.due(clock.now) == pytest.approx(1.9)


def test_plain_put_replaces_a_deferred_one(inbox: Inbox, clock: Clock) -> None:
    """The write that follows the emptying is taken after the usual quiet period, and only once."""
    inbox.put(change(A, "deleted"), not_before=2.0)
    inbox.put(change(A, "created"))
    assert inbox.due(clock.now) == pytest.approx(0.005)
    clock.now += 0.1
    assert taken(inbox) == (change(A, "created"),)
    assert inbox.empty


def test_deferring_does_not_delay_a_newer_change(inbox: Inbox, clock: Clock) -> None:
    """A save that arrives before its path is deferred, from an older look, keeps its short wait."""
    inbox.put(change(A))
    inbox.put(change(A, "deleted"), not_before=2.0)
    clock.now += 0.1
    assert taken(inbox) == (change(A),)
    assert inbox.empty


def test_what_was_deferred_together_comes_back_together(inbox: Inbox, clock: Clock) -> None:
    """Files deferred a moment apart make one batch, those deferred much later another."""
    inbox.put(change(A), not_before=2.0)
    clock.now += 0.01
    inbox.put(change(B), not_before=2.0)
    clock.now += 1.0
    inbox.put(change(C), not_before=2.0)
    clock.now = 102.005
    assert inbox.take() is None
    clock.now = 102.02
    assert taken(inbox) == (change(A), change(B))
    assert inbox.due(clock.now) == pytest.approx(0.99)


def test_deferred_change_that_is_due_waits_for_a_burst(inbox: Inbox, clock: Clock) -> None:
    """A deferred path whose time comes amid a burst is taken with it."""
    inbox.put(change(A), not_before=2.0)
    clock.now += 2.1
    inbox.put(change(B))
    assert inbox.take() is None
    clock.now += 0.1
    assert taken(inbox) == (change(A), change(B))


def test_at_once_takes_deferred_changes_too(inbox: Inbox) -> None:
    """A look that is asked for by hand sees all that waits."""
    inbox.put(change(A), not_before=2.0)
    inbox.put(change(B))
    assert taken(inbox, at_once=True) == (change(A), change(B))
    assert inbox.empty


def test_wait_returns_when_a_batch_is_due(clock: Clock) -> None:
    """A thread that waits without a timeout is woken by a change that is due at once."""
    inbox = Inbox(clock=clock, quiet=0.0)
    results: list[bool] = []
    thread = threading.Thread(target=lambda: results.append(inbox.wait(None)))
    thread.start()
    inbox.put(change(A))
    thread.join(10)
    assert results == [True]


def test_wait_sleeps_out_the_quiet_period() -> None:
    """A thread that waits on the real clock is told of a batch, never before it is due."""
    inbox = Inbox()
    inbox.put(change(A))
    assert inbox.wait(10)
    assert inbox.take() is not None


def test_wait_ends_at_its_timeout(inbox: Inbox) -> None:
    """A batch that is not due within the timeout is none."""
    inbox.put(change(A))
    assert not inbox.wait(0)
    assert not Inbox().wait(0.001)


def test_wake_ends_the_next_wait_once(clock: Clock) -> None:
    """Waking is not lost if it comes before the wait, and it ends one wait."""
    inbox = Inbox(clock=clock, quiet=0.0)
    inbox.wake()
    assert not inbox.wait(None)
    inbox.put(change(A))
    assert inbox.wait(None)


def test_many_threads_put_without_loss(inbox: Inbox) -> None:
    """Every path that any thread put is in the batch."""

    def put_all(worker: int) -> None:
        for number in range(200):
            inbox.put(change(f"/p/{worker}_{number}.py"))

    threads = [threading.Thread(target=put_all, args=[worker]) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken(inbox, at_once=True) or ()) == 800


def test_forked_child_does_not_wait_for_the_parents_lock(inbox: Inbox) -> None:
    """After a fork the inbox works although a thread that is gone held its lock."""
    inbox.put(change(A))
    inbox._lock.acquire()
    inbox.restart_after_fork()
    assert taken(inbox, at_once=True) == (change(A),)
