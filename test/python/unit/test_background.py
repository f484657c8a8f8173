"""Work in a thread: its result, its error, and an interrupt while it is waited for."""

from __future__ import annotations

import os
import signal
import time

import pytest

from simple_jit.base import background
from simple_jit.base.background import Background


def test_the_result_is_that_of_the_work() -> None:
    assert Background(lambda: 6 * 7).result() == 42


def test_an_error_is_raised_where_the_result_is_asked_for() -> None:
    work = Background(lambda: 1 // 0)
    work.wait()
    with pytest.raises(ZeroDivisionError):
        work.result()


def test_without_another_thread_the_work_is_done_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(background, "start_new_thread", refuse)
    assert Background(lambda: 6 * 7).result() == 42


def test_an_interrupt_waits_for_the_end() -> None:
    ended = []

    def slow() -> None:
        time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.2)
        ended.append(True)

    work = Background(slow)
    with pytest.raises(KeyboardInterrupt):
        work.wait()
    assert ended
