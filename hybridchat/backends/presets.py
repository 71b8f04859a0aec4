"""Turns settings and a preset into an endpoint, once it is sure that a key and a prompt may travel there."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hybridchat.backends.loopback import is_loopback
from hybridchat.backends.ollama.names import is_cloud
from hybridchat.backends.preset_table import PRESETS, Preset
from hybridchat.config.settings import Endpoint, Kind, LocalSettings, Price, RemoteSettings, Settings
from hybridchat.errors import BadConfiguration
from hybridchat.messages import Place

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["PRESETS", "Preset", "local_endpoint", "preset", "remote_endpoint", "remote_price"]


def preset(name: str) -> Preset:
    """Return the preset called ``name``; raise ``BadConfiguration``, which lists them all, where there is none."""
    try:
        return PRESETS[name]
    except KeyError:
        raise BadConfiguration(
            f"there is no preset called {name!r}", hint=f"choose one of {', '.join(PRESETS)}"
        ) from None


def remote_endpoint(settings: RemoteSettings, *, trusted_hosts: Collection[str] = ()) -> Endpoint:
    """Return the endpoint of the large model.

    Its place is always ``REMOTE``, even on loopback (there may be a tunnel behind it): what it is sent passes the
    privacy gate. Raises ``BadConfiguration`` for an unknown preset, an impossible URL, a missing URL or model, and
    plain HTTP to a host that is neither loopback nor one of ``trusted_hosts``.
    """
    row = preset(settings.preset)
    url = _address(settings.url or row.url, row, setting="remote.url", trusted_hosts=trusted_hosts)
    price = row.price if not settings.model or settings.model == row.model else None
    if settings.price_input is not None and settings.price_output is not None:
        price = Price(settings.price_input, settings.price_output)
    return Endpoint(
        name=row.name,
        kind=Kind.OPENAI,
        url=url,
        model=_model(settings.model or row.model, row, setting="remote.model"),
        place=Place.REMOTE,
        auth=row.auth,
        key_name=settings.key_name or row.key_name,
        fallbacks=settings.fallbacks or row.fallbacks,
        price=price,
        max_top_logprobs=row.max_top_logprobs,
        first_token_timeout=settings.first_token_timeout,
        stall_timeout=settings.stall_timeout,
        connect_timeout=settings.connect_timeout,
    )


def remote_price(settings: Settings) -> Price | None:
    """Return what the configured remote model costs, None where there is none or that is not known."""
    try:
        return remote_endpoint(settings.remote, trusted_hosts=settings.local.trusted_hosts).price
    except BadConfiguration:  # a remote model that is not wholly configured has no price
        return None


def local_endpoint(settings: LocalSettings) -> Endpoint:
    """Return the endpoint of the local model, where ``settings.backend`` names a preset.

    The default model name is translated to the one that the preset's server uses. Raises ``BadConfiguration`` as
    ``remote_endpoint`` does, for any host that is neither loopback nor declared in ``settings.trusted_hosts``, and for
    a model that Ollama, behind whatever preset, would ask its cloud for.
    """
    row = preset(settings.backend)
    url = _address(settings.url or row.url, row, setting="local.url", trusted_hosts=settings.trusted_hosts)
    if not _is_trusted(url, settings.trusted_hosts):
        host = urlsplit(url).hostname
        raise BadConfiguration(
            f"the local model's server, {host}, is not on this machine",
            hint=f'declare the host with `local.trusted_hosts = ["{host}"]`, or use it as the remote model',
        )
    model = row.small_model if settings.model == LocalSettings().model else settings.model
    if is_cloud(model):
        raise BadConfiguration(
            f"{model} is a cloud model: an Ollama server would pass every prompt on to ollama.com",
            hint="Choose a model that runs on this machine with `local.model`.",
        )
    return Endpoint(
        name=row.name,
        kind=Kind.OPENAI,
        url=url,
        model=_model(model, row, setting="local.model"),
        place=Place.LOCAL,
        auth=row.auth,
        key_name=row.key_name,
        max_top_logprobs=row.max_top_logprobs,
    )


def _is_trusted(url: str, trusted_hosts: Collection[str]) -> bool:
    return is_loopback(url) or urlsplit(url).hostname in {host.casefold() for host in trusted_hosts}


def _model(name: str, row: Preset, *, setting: str) -> str:
    if not name:
        raise BadConfiguration(
            f"{row.name} has no default model", hint=f"name the model (or deployment) with `{setting}`"
        )
    return name


def _address(url: str, row: Preset, *, setting: str, trusted_hosts: Collection[str]) -> str:
    """Return ``url`` without a closing slash, if it is one that a key may be sent to."""
    if not url:
        raise BadConfiguration(f"{row.name} has no default address", hint=f"set `{setting}`: {row.description}")
    example = f"set `{setting}` to an address like {row.url or 'https://host/v1'}"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port  # reading the port checks it
    except ValueError as error:
        raise BadConfiguration(f"{setting} {url!r} is no address: {error}", hint=example) from error
    if parts.scheme not in {"http", "https"} or not host:
        raise BadConfiguration(f"{setting} {url!r} is no http:// or https:// address", hint=example)
    if parts.username is not None:
        raise BadConfiguration(
            f"{setting} carries credentials", hint=f"take them out of the address: `hybridchat keys set {row.name}`"
        )
    if parts.query or parts.fragment:
        raise BadConfiguration(f"{setting} {url!r} ends in a query or fragment", hint=example)
    if parts.scheme == "http" and not _is_trusted(url, trusted_hosts):
        raise BadConfiguration(
            f"{setting} {url!r} is plain HTTP: key and prompts would travel in the clear",
            hint=f'use https://, or declare the host with `local.trusted_hosts = ["{host}"]`',
        )
    return url.rstrip("/")
