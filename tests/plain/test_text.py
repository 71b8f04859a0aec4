import io
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from hybridchat.errors import BadConfiguration
from hybridchat.events import ContextCondensed, ContextTrimmed, Escalated, Event, Failed, FollowUp, KeptLocal, Loading
from hybridchat.messages import Place
from hybridchat.plain.streams import Narration, Output, OutputRefused
from hybridchat.plain.text import TextFace
from tests.plain.fake_turn import TerminalStream, finished, local, opened, remote, routed, set_aside

ESCALATED = Escalated("a2", "a1", "huggingface", "meta-llama/Llama-3.3-70B-Instruct", "unsure", {"email": 2})
KEPT = KeptLocal("a1", "the local answer stands: you said no", "blocked", "Allow it with --allow-remote.")


class Shown:
    """Streams of one command, terminals or not."""

    def __init__(
        self,
        *,
        stdout_terminal: bool = False,
        stderr_terminal: bool = False,
        quiet: bool = False,
        verbose: bool = False,
        hold: bool = False,
        saved: bool = True,
        raw: bool = False,
        environ: dict[str, str] | None = None,
    ) -> None:
        self.out = TerminalStream() if stdout_terminal else io.StringIO()
        self.err = TerminalStream() if stderr_terminal else io.StringIO()
        narration = Narration(self.err, quiet=quiet, verbose=verbose, environ=environ or {})
        self.face = TextFace(Output(self.out), narration, hold=hold, saved=saved, raw=raw)

    def show(self, *events: Event) -> tuple[str, str]:
        for event in events:
            self.face.show(event)
        return self.out.getvalue(), self.err.getvalue()


def test_a_pipe_gets_the_answer_with_one_final_newline_and_nothing_else() -> None:
    out, err = Shown().show(routed(), opened(), local("four"), finished("four"))
    assert (out, err) == ("four\n", "")


def test_an_answer_that_ends_with_a_newline_gets_no_second_one() -> None:
    out, _ = Shown().show(routed(), opened(), local("four\n"), finished("four\n"))
    assert out == "four\n"


def test_raw_is_the_answer_to_the_letter_also_on_a_terminal() -> None:
    shown = Shown(raw=True, quiet=True, stdout_terminal=True, stderr_terminal=True)
    assert shown.show(routed(can_escalate=True), opened(), local("maybe"))[0] == ""
    assert shown.show(set_aside(), ESCALATED, remote("surely"), finished("surely", Place.REMOTE)) == ("surely", "")


def test_an_empty_answer_writes_nothing_at_all() -> None:
    assert Shown().show(routed(), opened(), finished(""))[0] == ""


def test_a_pipe_gets_no_local_text_while_a_bail_out_is_possible() -> None:
    shown = Shown()
    assert shown.show(routed(can_escalate=True), opened(), local("maybe"))[0] == ""
    assert shown.show(set_aside(), ESCALATED, remote("surely"), finished("surely", Place.REMOTE))[0] == "surely\n"


def test_a_pipe_gets_held_text_once_the_answer_is_final() -> None:
    shown = Shown()
    shown.show(routed(can_escalate=True), opened(), local("fo"), local("ur"))
    assert shown.show(finished("four"))[0] == "four\n"


def test_a_pipe_gets_local_text_at_once_where_no_remote_answer_can_follow() -> None:
    assert Shown().show(routed(), opened(), local("fo"))[0] == "fo"


def test_held_text_is_written_and_streams_on_once_the_chance_to_escalate_is_gone() -> None:
    shown = Shown()
    assert shown.show(routed(can_escalate=True), opened(), local("fo"), KEPT) == (
        "fo",
        "the local answer stands: you said no\n  Allow it with --allow-remote.\n",
    )
    assert shown.show(local("ur"))[0] == "four"
    assert shown.show(finished("four"))[0] == "four\n"


def test_a_remote_answer_streams_into_a_pipe() -> None:
    assert Shown().show(routed(place=Place.REMOTE), opened(place=Place.REMOTE), remote("su"))[0] == "su"


def test_holding_everything_writes_only_whole_answers() -> None:
    shown = Shown(hold=True, stdout_terminal=True)
    assert shown.show(routed(), opened(), local("fo"), KEPT, local("ur"))[0] == ""
    assert shown.show(finished("four"))[0] == "four\n"


def test_a_terminal_gets_local_text_at_once_and_a_visible_seam_when_it_is_set_aside() -> None:
    shown = Shown(stdout_terminal=True, stderr_terminal=True)
    assert shown.show(routed(can_escalate=True), opened(), local("may"))[0] == "may"
    out, err = shown.show(set_aside(), ESCALATED, remote("surely"), finished("surely", Place.REMOTE))
    assert out == "may\nsurely\n"
    assert err.splitlines() == [
        "local draft set aside after 14 tokens (31% sure): three weak tokens in a row -> Llama-3.3-70B-Instruct",
        "sent with placeholders for 2 e-mail addresses",
        "[Llama-3.3-70B-Instruct (remote, huggingface), 12 tokens, 1.2 s, $0.00040, local first]",
    ]


def test_a_seam_is_told_even_where_nothing_takes_over() -> None:
    _, err = Shown().show(routed(can_escalate=True), set_aside(), Failed("timed_out", "no answer", "", 69))
    assert err.startswith("local draft set aside after 14 tokens (31% sure): three weak tokens in a row\n")


def test_a_local_model_that_could_not_begin_is_told_with_who_answers_instead() -> None:
    escalated = Escalated("a2", None, "huggingface", "Llama", "the local model cannot answer: refused")
    assert Shown().show(routed(can_escalate=True), escalated)[1] == "the local model cannot answer: refused -> Llama\n"


def test_provenance_is_the_last_line_on_a_terminal() -> None:
    _, err = Shown(stderr_terminal=True).show(routed(), opened(), local("four"), finished("four"))
    assert (
        err
        == "[phi3.5 (on this machine, ollama), fairly sure (64%, uncalibrated), 12 tokens, 1.2 s, $0.00, local first]\n"
    )


def test_provenance_is_told_to_a_pipe_only_on_demand() -> None:
    assert "phi3.5" in Shown(verbose=True).show(routed(), finished("four"))[1]
    assert Shown().show(routed(), finished("four"))[1] == ""


def test_quiet_is_quiet() -> None:
    shown = Shown(quiet=True, verbose=True, stdout_terminal=True, stderr_terminal=True)
    trimmed = ContextTrimmed(Place.LOCAL, 2, 4, 4096)
    _, err = shown.show(
        routed(can_escalate=True), Loading(Place.LOCAL, "phi3.5", "loading"), opened("a stand-in"), trimmed, local("x"),
        set_aside(), ESCALATED, remote("y"), finished("y", Place.REMOTE, notes=("a note",)),
    )  # fmt: skip
    assert err == ""


def test_an_error_is_told_even_to_those_who_want_quiet() -> None:
    _, err = Shown(quiet=True).show(Failed("unreachable", "nobody answers", "Start the server.", 69))
    assert err == "hybridchat: nobody answers\n  Start the server.\n"


def test_stand_in_notes_and_trimmed_context_are_told_on_standard_error() -> None:
    out, err = Shown().show(
        routed(), opened("SmolLM2 stands in for phi3.5."), ContextTrimmed(Place.LOCAL, 2, 4, 4096),
        ContextTrimmed(Place.LOCAL, 1, 2, 4096), finished("four", notes=("cut off",)),
    )  # fmt: skip
    assert out == "four\n"
    assert err.splitlines() == [
        "SmolLM2 stands in for phi3.5.",
        "the conversation exceeds the 4,096 tokens that the local model can read: left out: the oldest 2 turns",
        "the conversation exceeds the 4,096 tokens that the local model can read: left out: the oldest 1 turn",
        "cut off",
    ]


def test_summaries_and_follow_up_questions_are_told_on_standard_error() -> None:
    out, err = Shown().show(
        routed(), ContextCondensed(Place.LOCAL, 2, 4, 1900, 120), ContextTrimmed(Place.LOCAL, 1, 2, 0),
        FollowUp(1, "deed.txt", "Who signed?"), FollowUp(1, "deed.txt", "Who signed?", "Ada."), finished("four"),
    )  # fmt: skip
    assert out == "four\n"
    assert err.splitlines() == [
        "the local model is given a summary of the oldest 2 turns: about 120 tokens instead of 1,900",
        "not given to the local model, left out: the oldest 1 turn",
        "the remote model asks about deed.txt: Who signed?",
        "  the local model answers from it: Ada.",
    ]


def test_loading_is_told_once_and_only_to_a_person() -> None:
    loading = Loading(Place.LOCAL, "org/phi3.5", "the model is being loaded")
    assert Shown(stderr_terminal=True).show(routed(), loading, loading)[1] == "phi3.5: the model is being loaded\n"
    assert Shown().show(routed(), loading)[1] == ""


def test_thinking_is_no_part_of_the_answer() -> None:
    thoughts: list[Event] = [routed(), opened(), local("hm", thinking=True), local("four"), finished("four")]
    assert Shown().show(*thoughts) == ("four\n", "")
    out, err = Shown(verbose=True).show(*thoughts)
    assert out == "four\n"
    assert err.startswith("hm\n")


def test_thinking_is_dim_on_a_terminal_that_wants_colour() -> None:
    thoughts: list[Event] = [routed(), opened(), local("hm", thinking=True), local("four")]
    assert Shown(verbose=True, stderr_terminal=True).show(*thoughts)[1] == "\x1b[2mhm\x1b[22m\n"


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_escape_code_where_the_user_wants_none(environ: dict[str, str]) -> None:
    shown = Shown(verbose=True, stderr_terminal=True, environ=environ)
    assert shown.show(routed(), opened(), local("hm", thinking=True), local("four"))[1] == "hm\n"


def test_narration_does_not_run_on_in_the_line_of_the_answer() -> None:
    shown = Shown(stdout_terminal=True, stderr_terminal=True)
    _, err = shown.show(routed(can_escalate=True), opened(), local("fo"), KEPT)
    assert err.startswith("\nthe local answer stands")


def test_an_interrupted_answer_says_in_one_line_how_to_go_on() -> None:
    interrupted = Failed(
        "interrupted", "stopped", "What was said is kept: `hybridchat ask -c` goes on.", 130, "a1", "fo"
    )
    out, err = Shown().show(routed(), opened(), local("fo"), interrupted)
    assert out == "fo\n"
    assert err == "hybridchat: stopped. What was said is kept: `hybridchat ask -c` goes on.\n"


def test_an_interrupted_answer_that_is_not_kept_promises_nothing() -> None:
    interrupted = Failed("interrupted", "stopped", "What was said is kept.", 130, "a1", "fo")
    assert Shown(saved=False).show(interrupted)[1] == "hybridchat: stopped\n"
    nothing_to_add = replace(interrupted, hint="")
    assert Shown().show(nothing_to_add)[1] == "hybridchat: stopped\n"


@pytest.mark.parametrize(("saved", "told"), [(True, 1), (False, 0)])
def test_an_output_that_takes_nothing_loses_nothing_where_conversations_are_kept(saved: bool, told: int) -> None:
    shown = Shown(saved=saved)
    shown.face.fail(OutputRefused("full"))
    assert shown.err.getvalue().count("hybridchat history list") == told


def test_what_the_stream_missed_is_completed_from_the_final_text() -> None:
    assert Shown().show(routed(), opened(), local("fo"), finished("four"))[0] == "four\n"


def test_text_that_is_already_written_is_not_repeated_when_the_final_text_differs() -> None:
    assert Shown().show(routed(), opened(), local("fo"), finished("five"))[0] == "fo\n"


def test_foreign_text_in_narration_cannot_drive_the_terminal() -> None:
    _, err = Shown(stderr_terminal=True).show(Failed("server_failed", "it said \x1b]0;owned\x07 so", "", 69))
    assert "\x1b" not in err
    assert "\x07" not in err


def test_an_error_outside_a_turn_ends_an_open_line_first() -> None:
    shown = Shown()
    shown.show(routed(), opened(), local("fo"))
    shown.face.fail(BadConfiguration("no such model", hint="Name another."))
    assert shown.out.getvalue() == "fo\n"
    assert shown.err.getvalue() == "hybridchat: no such model\n  Name another.\n"


def test_the_answer_reaches_a_real_file_as_utf8_whatever_the_locale(tmp_path: Path) -> None:
    path = tmp_path / "answer"
    with path.open("w", encoding="ascii") as stream:
        face = TextFace(Output(stream, environ={}), Narration(sys.stderr))
        for event in (routed(), opened(), local("füür 𝟜"), finished("füür 𝟜")):
            face.show(event)
    assert path.read_text("utf-8") == "füür 𝟜\n"
