"""The shape of all settings, with their defaults."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from hybridchat.messages import DataPolicy, HandOver, Place


class Kind(StrEnum):
    """The protocol that an endpoint speaks."""

    OLLAMA = "ollama"
    OPENAI = "openai"
    EMBEDDED = "embedded"


class Auth(StrEnum):
    """How a key is presented."""

    NONE = "none"
    BEARER = "bearer"  # Authorization: Bearer KEY
    API_KEY = "api-key"  # api-key: KEY


class Bias(StrEnum):
    """What an escalation is worth: the one knob of the routing policy."""

    LOCAL = "local"
    BALANCED = "balanced"
    QUALITY = "quality"


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens."""

    input: float
    output: float


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A configured instance of a backend.

    ``key_name`` is the name under which ``credentials`` finds its key, None where it needs none; ``num_ctx`` the
    context window asked for (Ollama, embedded); ``fallbacks`` further models to offer when this one is not served;
    ``max_top_logprobs`` the most alternatives per token that the server gives, 0 where it gives no logprobs at all.
    Timeouts are seconds: until connected, until the first token (a model may have to be loaded), between two tokens.
    """

    name: str
    kind: Kind
    url: str
    model: str
    place: Place
    auth: Auth = Auth.NONE
    key_name: str | None = None
    num_ctx: int | None = None
    keep_alive: str | None = None
    fallbacks: tuple[str, ...] = ()
    price: Price | None = None
    headers: tuple[tuple[str, str], ...] = ()
    max_top_logprobs: int = 20
    first_token_timeout: float = 300.0
    stall_timeout: float = 60.0
    connect_timeout: float = 5.0


@dataclass(frozen=True, slots=True)
class LocalSettings:
    """The model on this machine.

    ``backend`` ``auto`` tries Ollama, then the embedded engine; a preset's name (``llama.cpp``, ``vllm`` ...) takes
    that server. ``url`` empty means the preset's own. ``trusted_hosts`` are host names other than loopback that the
    user declares as local.
    """

    backend: str = "auto"
    model: str = "phi3.5"
    url: str = ""
    num_ctx: int = 4096
    keep_alive: str = "10m"
    trusted_hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RemoteSettings:
    """The large hosted model. Empty ``url`` and ``model`` mean the preset's own; prices are US dollars per million."""

    preset: str = "huggingface"
    url: str = ""
    model: str = ""
    fallbacks: tuple[str, ...] = ()
    key_name: str = ""
    key_command: str = ""
    price_input: float | None = None
    price_output: float | None = None
    connect_timeout: float = 10.0
    first_token_timeout: float = 60.0
    stall_timeout: float = 30.0


@dataclass(frozen=True, slots=True)
class AnswerSettings:
    """How answers are generated. ``temperature`` None leaves the model's own."""

    max_tokens: int = 1024
    temperature: float | None = None
    seed: int | None = None
    system: str = ""


@dataclass(frozen=True, slots=True)
class RoutingSettings:
    """When the remote model is brought in.

    ``second_look`` lets the local model look again at an answer that it was neither sure nor unsure of, while the user
    reads. ``learn`` keeps what the user makes of answers, and learns from it. ``shadow`` is the share of kept answers
    that are put to the remote model, too, to measure how many of them are wrong. ``record`` names a file to which every
    turn is appended, to be replayed; empty for none.
    """

    bias: Bias = Bias.BALANCED
    min_confidence: float | None = None
    second_look: bool = True
    learn: bool = True
    shadow: float = 0.0
    record: str = ""


@dataclass(frozen=True, slots=True)
class BudgetSettings:
    """The most that may be spent on the remote model in a calendar month (UTC) and in a conversation; None: no limit.

    Dollars are US dollars. Tokens are those sent and received.
    """

    month_dollars: float | None = None
    month_calls: int | None = None
    month_tokens: int | None = None
    conversation_dollars: float | None = None
    conversation_calls: int | None = None
    conversation_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class PrivacySettings:
    """What may leave. ``words`` are the user's own words to redact."""

    data_policy: DataPolicy = DataPolicy.CONFIRM
    offline: bool = False
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HandoverSettings:
    """What the remote model is sent of a conversation.

    One that stands longer than ``condense_over`` tokens is condensed, where ``form`` is verbatim. ``draft`` sends the
    local model's own answer along.
    """

    form: HandOver = HandOver.VERBATIM
    condense_over: int = 12_000
    draft: bool = False


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """Where things are kept; empty means the system's own place. ``save`` false keeps nothing after the process.

    ``key_command`` prints the passphrase of an encrypted store.
    """

    path: str = ""
    save: bool = True
    models: str = ""
    key_command: str = ""


@dataclass(frozen=True, slots=True)
class RetentionSettings:
    """After how many days conversations that nobody wrote to, and rows of the ledger, are erased; None: never."""

    days: int | None = None
    ledger_days: int | None = None


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """The chat screen. ``theme`` empty means the house theme; ``keys`` holds ``ACTION=KEY`` for each changed key."""

    theme: str = ""
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, after flags, environment and files were laid over the defaults."""

    local: LocalSettings = LocalSettings()
    remote: RemoteSettings = RemoteSettings()
    answer: AnswerSettings = AnswerSettings()
    routing: RoutingSettings = RoutingSettings()
    budget: BudgetSettings = BudgetSettings()
    privacy: PrivacySettings = PrivacySettings()
    handover: HandoverSettings = HandoverSettings()
    store: StoreSettings = StoreSettings()
    retention: RetentionSettings = RetentionSettings()
    chat: ChatSettings = ChatSettings()
    user_file: Path | None = None
