"""What an OpenAI-compatible server says that it serves, and which of it could stand in for a missing model."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from hybridchat.config.settings import Price

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_MOST_ALTERNATIVES = 8


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model that a server offers; the window is in tokens, the price the cheapest live provider's."""

    id: str
    context_length: int | None = None
    price: Price | None = None


def read_models(data: Any) -> tuple[ServedModel, ...]:
    """Read the body of ``GET /models``; a model that no live provider serves is left out, ``ValueError`` if it is none.

    Sources: OpenAI API reference, "List models"; Hugging Face's router (``providers``); vLLM (``max_model_len``);
    llama.cpp (``meta.n_ctx``).
    """
    listed = data.get("data") if isinstance(data, dict) else data
    if not isinstance(listed, list):
        raise ValueError("no list of models")  # noqa: TRY004 - the caller treats everything unreadable alike
    models = (_model(item) for item in listed if isinstance(item, dict) and isinstance(item.get("id"), str))
    return tuple(model for model in models if model is not None)


def alternatives(missing: str, fallbacks: Iterable[str], served: Sequence[str]) -> tuple[str, ...]:
    """Return what to offer for ``missing``, best first: the fallbacks that are served, then names that are alike.

    A server with few models offers all of them. Where nothing is known about what is served, the fallbacks stand.
    """
    others = [name for name in served if name != missing]
    wanted = [name for name in fallbacks if name != missing and (not others or name in others)]
    alike = others if len(others) <= _MOST_ALTERNATIVES else get_close_matches(missing, others, _MOST_ALTERNATIVES, 0.4)
    return tuple(dict.fromkeys([*wanted, *alike]))[:_MOST_ALTERNATIVES]


def _model(item: dict[str, Any]) -> ServedModel | None:
    providers = [p for p in _list(item.get("providers")) if isinstance(p, dict)]
    live = [p for p in providers if p.get("status", "live") == "live"]
    if providers and not live:
        return None
    meta = item.get("meta")
    windows = [
        item.get("context_length"),
        item.get("max_model_len"),
        meta.get("n_ctx") if isinstance(meta, dict) else None,
        *(p.get("context_length") for p in live),
    ]
    prices = [price for price in (_price(p.get("pricing")) for p in live) if price is not None]
    return ServedModel(
        id=item["id"],
        context_length=max((w for w in windows if isinstance(w, int) and w > 0), default=None),
        price=min(prices, key=lambda price: (price.output, price.input), default=None),
    )


def _price(value: object) -> Price | None:
    if not isinstance(value, dict):
        return None
    given, generated = _amount(value.get("input")), _amount(value.get("output"))
    return None if given is None or generated is None else Price(given, generated)


def _amount(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and 0 <= value < 1e6 else None


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
