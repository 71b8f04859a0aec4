"""What one solution gives away by itself: its form, its answer, its arithmetic, its use of the question's numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from math import isfinite, log1p

from benchmarks.pairs_arithmetic import Equation, close, equations, numbers
from hybridchat.messages import FinishReason
from hybridchat.routing.text_signals import TextSignals

Answer = str | float | None
Features = dict[str, float]

_FIELD = re.compile(r'"answer"\s*:\s*("(?:[^"\\]|\\.)*"?|[^\n},]*)')
_SENTENCE = re.compile(r"[.!?](?:\s|$)|\n")
_STEP = re.compile(r"\b(?:first|next|then|now|finally|therefore|so|thus|hence|after|since)\b", re.IGNORECASE)
_ROUNDS = re.compile(r"≈|\\approx|\b(?:approximately|about|round(?:ed|ing)?|nearest|roughly)\b", re.IGNORECASE)
_UNSURE = re.compile(
    r"\b(?:assum\w+|suppose|might|seems?|however|but|mistake|incorrect|error|correct(?:ed|ion)|re-?evaluat\w+|actually"
    r"|not possible|impossible|cannot|no solution|contradict\w+|instead|must be|should be|try|guess|expected)\b",
    re.IGNORECASE,
)
_ALGEBRA = re.compile(r"(?<![A-Za-z])[a-zA-Z]\s*[-+*/=^]|\d[a-z]\b|\blet'?s? (?:denote|represent|call|[a-z]\b)")
_LATEX = re.compile(r"\\[a-zA-Z]+|\$")
_WORD_NUMBERS = {
    "half": 0.5, "one": 1, "two": 2, "twice": 2, "double": 2, "three": 3, "triple": 3, "four": 4, "five": 5, "six": 6,
    "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "dozen": 12, "twelve": 12, "twenty": 20, "hundred": 100,
}  # fmt: skip
_WORDS = re.compile(r"[a-z]+")


class Solution:
    """One model's text and extracted answer, read once; everything is computed on demand and kept."""

    def __init__(self, question: str, text: str, answer: Answer) -> None:
        self.question = question
        self.text = text
        self.answer = answer

    @cached_property
    def reasoning(self) -> str:
        """The text before the answer field; the whole text where there is none."""
        found = list(_FIELD.finditer(self.text))
        return self.text[: found[0].start()] if found else self.text

    @cached_property
    def raw_answer(self) -> str:
        """The answer as the model wrote it."""
        found = _FIELD.search(self.text)
        return found.group(1).strip().strip('"').strip() if found else ""

    @cached_property
    def tail(self) -> str:
        """What follows the answer field."""
        found = _FIELD.search(self.text)
        return self.text[found.end() :].strip('"}` \n') if found else ""

    @cached_property
    def value(self) -> float | None:
        """The answer as a finite number; None where it is not one."""
        if self.answer is None:
            return None
        try:
            value = float(self.answer)
        except ValueError:
            return None
        return value if isfinite(value) else None

    @cached_property
    def words(self) -> frozenset[str]:
        """The words of the reasoning."""
        return frozenset(_WORDS.findall(self.reasoning.casefold()))

    @cached_property
    def numbers(self) -> list[float]:
        """The numbers in the reasoning, in order."""
        return numbers(self.reasoning)

    @cached_property
    def given(self) -> list[float]:
        """The numbers of the question, in figures and in words."""
        words = [float(_WORD_NUMBERS[w]) for w in _WORDS.findall(self.question.casefold()) if w in _WORD_NUMBERS]
        return numbers(self.question) + words

    @cached_property
    def equations(self) -> list[Equation]:
        """The calculations of the whole text."""
        return equations(self.text)

    @cached_property
    def results(self) -> list[float]:
        """The numbers of the reasoning that the question does not hold: what was worked out."""
        return [number for number in dict.fromkeys(self.numbers) if not contains(self.given, number)]


def contains(values: Sequence[float], wanted: float) -> bool:
    """Return whether ``wanted`` is among ``values``, up to rounding."""
    return any(close(value, wanted) for value in values)


def form(solution: Solution) -> Features:
    """Return how the text is made: phrases, loops, length, what surrounds the answer."""
    signals = TextSignals()
    signals.add(solution.text)
    text = solution.reasoning
    return {
        **{k: v for k, v in signals.finished(FinishReason.STOP).items() if k not in {"characters", "truncated"}},
        "sentences": log1p(len(_SENTENCE.findall(text))),
        "lines": log1p(text.count("\n")),
        "steps": log1p(len(_STEP.findall(text))),
        "unsure": log1p(len(_UNSURE.findall(text))),
        "rounds": log1p(len(_ROUNDS.findall(solution.text))),
        "algebra": log1p(len(_ALGEBRA.findall(text))),
        "latex": log1p(len(_LATEX.findall(text))),
        "tail": log1p(len(solution.tail)),
        "answer_fields": float(min(3, len(_FIELD.findall(solution.text)))),
        "opens_fence": float(solution.text.lstrip().startswith("```")),
    }


def answer_form(solution: Solution) -> Features:
    """Return what kind of thing the answer is, and whether the reasoning arrives at it."""
    value, raw = solution.value, solution.raw_answer
    features = {
        "answer_none": float(solution.answer is None),
        "answer_length": log1p(len(raw)),
        "answer_wordy": float(len(_WORDS.findall(raw.casefold())) > 2),
        "answer_operators": float(any(sign in raw for sign in "=*+")),
        "answer_latex": float("\\" in raw),
        "answer_said": float(bool(raw) and raw.casefold() in solution.reasoning.casefold()),
        "answer_said_last": float(bool(raw) and raw.casefold() in solution.reasoning[-160:].casefold()),
        "answer_given": float(bool(raw) and raw.casefold() in solution.question.casefold()),
    }
    if value is None:
        return features
    found = solution.numbers
    return {
        **features,
        "value_whole": float(value == int(value)),
        "value_negative": float(value < 0),
        "value_zero": float(value == 0),
        "value_size": log1p(abs(value)),
        "value_round": float(value != 0 and value % 10 == 0),
        "value_given": float(contains(solution.given, value)),
        "value_reached": float(contains(found, value)),
        "value_last": float(bool(found) and close(found[-1], value)),
        "value_near_end": float(contains(found[-4:], value)),
    }


def arithmetic(solution: Solution) -> Features:
    """Return how the solution calculates, and what it makes of the numbers that it was given."""
    made, given, found = solution.equations, solution.given, solution.numbers
    wrong = sum(not equation.holds for equation in made)
    known = [*given, *(equation.stated for equation in made)]
    loose = sum(not contains(known, operand) for equation in made for operand in equation.operands)
    unused = sum(not contains(found, number) for number in given)
    stated = [equation.stated for equation in made]
    return {
        "equations": log1p(len(made)),
        "equations_wrong": float(min(2, wrong)),
        "operands_loose": log1p(loose),
        "numbers": log1p(len(found)),
        "results": log1p(len(solution.results)),
        "given": log1p(len(given)),
        "given_unused": log1p(unused),
        "given_largest": log1p(max(map(abs, given), default=0.0)),
        "results_negative": float(any(number < 0 for number in stated)),
        "results_broken": log1p(sum(number != int(number) for number in solution.results)),
        "ends_in_equation": float(solution.value is not None and contains(stated[-1:], solution.value)),
        "equation_gives_value": float(solution.value is not None and contains(stated, solution.value)),
    }
