"""Kills a program at its n-th step, so that a test can look at what is left of its work."""

from __future__ import annotations

STOPS = """
import os, signal, sys

steps = 0

def stops(call):
    def step(*arguments, **named):
        global steps
        steps += 1
        if steps == moment:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*arguments, **named)
    return step
"""
"""The beginning of such a program: ``stops`` makes a step of a call; ``moment`` must be the number of the last one."""
