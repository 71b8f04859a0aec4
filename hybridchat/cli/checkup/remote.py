"""Looks at what the remote model would need. Its server is only asked where the user says so with ``--online``."""

from __future__ import annotations

import os

from hybridchat.backends.presets import remote_endpoint
from hybridchat.backends.transport.proxy import proxy_of
from hybridchat.cli import wiring
from hybridchat.cli.checkup.verdict import Case, Verdict, ok, problem, warning
from hybridchat.cli.key_commands import ask_server, key_place
from hybridchat.config.settings import Auth, Endpoint, Settings
from hybridchat.errors import KeyMissing
from hybridchat.messages import DataPolicy
from hybridchat.phrases import money

_TLS_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR")  # OpenSSL's own


async def keyring(case: Case) -> Verdict:
    """Say which keyring keeps keys, if there is a safe one."""
    try:
        return ok(await wiring.new_credentials(case.settings).keyring(case.settings.remote.key_name or "huggingface"))
    except KeyMissing as error:
        return warning(error.message, error.hint)


async def remote_model(case: Case) -> Verdict:
    """Say which remote model would be asked, and what it costs."""
    if case.settings.remote.preset == wiring.NO_REMOTE:
        return ok("none is configured (remote.preset is none)")
    endpoint = _endpoint(case.settings)
    price = endpoint.price
    costs = (
        f"{money(price.input)} in and {money(price.output)} out per million tokens" if price else "at a price not known"
    )
    found = f"{endpoint.model} at {endpoint.name} ({wiring.key_host(endpoint.url)}), {costs}"
    if proxy := proxy_of(endpoint.url):
        found += f", through the proxy {proxy}"
    trusting = [name for name in _TLS_VARIABLES if os.environ.get(name)]
    if trusting and endpoint.url.startswith("https:"):
        found += f"; its certificate is checked as {' and '.join(trusting)} in the environment says"
    if why := _nothing_leaves(case.settings):
        return ok(f"{found}; never asked: {why}")
    return ok(found)


async def remote_key(case: Case) -> Verdict | None:
    """Say where the remote key would come from; it is not shown, and a command that prints it is not run."""
    settings = case.settings
    if settings.remote.preset == wiring.NO_REMOTE:
        return None
    if why := _nothing_leaves(settings):
        return ok(f"not looked for: {why}")
    endpoint = _endpoint(settings)
    if endpoint.auth is Auth.NONE or endpoint.key_name is None:
        return ok(f"{endpoint.name} needs none")
    host, variables = key_place(endpoint, settings)
    (listed,) = await wiring.new_credentials(settings).list([(endpoint.key_name, host, variables)])
    name = f"key {listed.name} for {host}"
    if listed.source is not None:
        return ok(f"the {name} comes from {listed.source}")
    because = f": {listed.problem.message}" if listed.problem else ""
    advice = listed.problem.hint if listed.problem else f"Run `hybridchat keys set {listed.name}`."
    return warning(f"there is no {name}{because}; the local model answers alone", advice)


async def remote_server(case: Case) -> Verdict | None:
    """Ask the remote server, where that is wanted, whether it serves the model."""
    settings = case.settings
    if settings.remote.preset == wiring.NO_REMOTE or not case.online:
        return None
    if why := _nothing_leaves(settings):
        return ok(f"not asked: {why}")
    answer = await ask_server(settings)
    endpoint = answer.endpoint
    if endpoint.model in answer.models:
        takes_key = "takes the key and " if answer.key_source else ""
        return ok(f"{endpoint.name} {takes_key}serves {endpoint.model}")
    found = f"{endpoint.name} does not list {endpoint.model}"
    fallback = next((name for name in endpoint.fallbacks if name in answer.models), None)
    if fallback is not None:
        return warning(f"{found}; it lists {fallback}", f"Run `hybridchat config set remote.model {fallback}`.")
    some = ", ".join(answer.models[:5]) or "nothing"
    return problem(f"{found}; it lists {some}", "Choose another model with remote.model.")


def _endpoint(settings: Settings) -> Endpoint:
    return remote_endpoint(settings.remote, trusted_hosts=settings.local.trusted_hosts)


def _nothing_leaves(settings: Settings) -> str:
    """Return why nothing may be sent, empty where something may."""
    if settings.privacy.offline:
        return "offline mode is on"
    return "the data policy is local-only" if settings.privacy.data_policy is DataPolicy.LOCAL_ONLY else ""
