"""How good confidence and routing are, in numbers. Pure functions without dependencies.

Conventions: ``right`` says whether each local answer is right; a ``confidence`` is larger the surer one is of it; an
escalation ``score`` is larger the sooner an answer should go to the remote model. Items with equal scores are taken in
random order, and a function returns the expected value over that order: no result hangs on how a list was sorted.
What cannot be computed (one class only, nothing to gain) is ``None``, never a made-up number.
"""
