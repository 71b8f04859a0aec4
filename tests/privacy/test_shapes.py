from __future__ import annotations

import base64

import pytest

from hybridchat.messages import ChatMessage, Role
from hybridchat.privacy.redaction import Redactor

SHAPES = [
    "4539.5787.6362.1486", "4539/5787/6362/1486", "3787-3449-3671-000", "6759649826438453",
    "DE89.3704.0044.0532.0130.00",
    "GB82.WEST.1234.5698.7654.32", "35202-4176543-9", "85.07.30-033 28", "52998224725",
    "acme_live_5d41402abc4b2a76b9719d911017c592", "sgq_7d793037a0760186_5d41402abc4b2a76b9719d911017c592",
    "1/1204567890123456:7d793037a0760186574b0282f2f435e7", "9f86d081884c7d659a2feaa0c55ad015a3bfNRAL",
    "APP_USR-6295877106812064-042916-9f86d081884c7d659a2feaa0c55ad015-145698761",
    "P<NLDBAKKER<<WILLEM<PIETER<<<<<<<<<<<<<<<<<", "Postfach 2011", "P.O. Box 771, Boise, ID 83701",
    "улица Гоголя, д. 15",
]  # fmt: skip
ANNOUNCED = [
    ("MAC address: {}", "A4B1C2D3E4F5"), ("hwaddr={}", "a4b1c2-d3e4f5"), ("bssid {}", "a4 b1 c2 d3 e4 f5"),
    ("ssh kim@ip-{}", "172-31-9-14"), ("https://wa.me/{}", "31612345678"),
    ("https://maps.example/@{},8.5417,14z", "47.3769"),
    ("<coordinates>{},47.3769,0</coordinates>", "8.5417"),
    ("Call {} please", "55 8123 4471"), ("CNIC {}", "3520241765439"),
    ("$GPRMC,{}", "081836,A,3751.65,S,14507.36,E"), ("födelsedatum: {}", "1979-11-30"),
    ('{{"auths": {{"r.example": {{"auth": "{}"}}}}}}', base64.b64encode(b"kim:otter").decode()),
    ("kind: Secret\ndata:\n  pw: {}\n", base64.b64encode(b"otter").decode()),
]  # fmt: skip
CONVERSATIONS = [
    (["my password is", "Otter-77!x"], "Otter-77!x"), (["Passwort:\n", "Otter-77!x\n"], "Otter-77!x"),
    (["What is your date of birth?", "30.11.1979"], "30.11.1979"), (["What is your PIN?", "  482913"], "482913"),
    (["iban DE8937040044", "0532013000"], "0532013000"),
]  # fmt: skip
ORDINARY = [
    "kind: Secret\nmetadata:\n  name: mysecret\n", "sha_5d41402abc4b2a76b9719d911017c592", "x <<<<<<< HEAD y >>>>>>> z",
    "call(12, 34) and call me maybe", "versions 3.11.2, py3.11.4.post1 and v1.2.3.4567", "2024.0101.2024.0101",
    "the mac app", "Box 7",
]  # fmt: skip


@pytest.mark.parametrize("value", SHAPES)
def test_a_value_is_found_by_its_shape(value: str) -> None:
    text = f"note: {value} of Kim"
    redactor = Redactor()
    redacted = redactor.redact(text).text
    assert value not in redacted
    assert redactor.restore(redacted) == text


@pytest.mark.parametrize(("place", "value"), ANNOUNCED)
def test_a_value_is_found_by_what_announces_it(place: str, value: str) -> None:
    assert value not in Redactor().redact(place.format(value)).text


@pytest.mark.parametrize(("messages", "value"), CONVERSATIONS)
def test_the_end_of_one_message_announces_what_the_next_begins_with(messages: list[str], value: str) -> None:
    roles = [Role.ASSISTANT, Role.USER] if messages[0].endswith("?") else [Role.USER, Role.USER]
    given = [ChatMessage(role, text) for role, text in zip(roles, messages, strict=True)]
    redactor = Redactor()
    redacted = redactor.redact_messages(given).messages
    assert value not in redacted[1].content
    assert [redactor.restore(message.content) for message in redacted] == messages


@pytest.mark.parametrize("text", ORDINARY)
def test_what_only_resembles_such_a_shape_is_left_alone(text: str) -> None:
    assert Redactor().redact(text).text == text
