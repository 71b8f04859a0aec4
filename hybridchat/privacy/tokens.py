"""Keys and tokens that are known by their shape: one row of data each.

The shapes are those that the issuers document or use (prefix, alphabet, least length). Lengths are lower bounds,
since issuers lengthen their tokens from time to time.

Possessive quantifiers stand behind single characters only: behind a group whose last round fails midway, ``re`` goes
on from the wrong place until Python 3.11.4 (python/cpython#106052).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hybridchat.privacy.encoded import RUN
from hybridchat.privacy.spans import Kind, Span

_URL_SAFE = r"[A-Za-z0-9_-]"
_BEFORE = re.compile(_URL_SAFE)
_IN_A_RUN = re.compile(r"[A-Za-z0-9_+/=.-]+")  # a prefix that stands in a run of such characters, or nowhere
_NO_KEBAB_CASE = r"(?=[a-z_-]{0,80}+[0-9A-Z])"  # a digit or capital, which kebab-case-names lack


@dataclass(frozen=True, slots=True)
class PrefixedToken:
    """A token that begins with one of ``prefixes``, not in the middle of a word, and goes on with ``body``."""

    issuer: str
    prefixes: tuple[str, ...]
    body: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class TokenInContext:
    """A secret that its surroundings give away: the group ``value`` of ``pattern`` is of ``kind``.

    The pattern is tried only where one of ``literals`` occurs in the text.
    """

    where: str
    literals: tuple[str, ...]
    pattern: re.Pattern[str]
    kind: Kind = Kind.KEY


def _prefixed(issuer: str, prefixes: str, body: str) -> PrefixedToken:
    return PrefixedToken(issuer, tuple(prefixes.split()), re.compile(body))


def _in_context(where: str, literals: str, pattern: str, kind: Kind = Kind.KEY) -> TokenInContext:
    return TokenInContext(where, tuple(literals.split()), re.compile(pattern), kind)


PREFIXED_TOKENS = (
    _prefixed("OpenAI, Anthropic, OpenRouter, DeepSeek", "sk-", rf"{_NO_KEBAB_CASE}{_URL_SAFE}{{16,}}+"),
    _prefixed("OpenAI, Anthropic", "sk-proj- sk-ant- sk-or- sk-svcacct- sk-admin- sk-lf- pk-lf-",
        rf"{_URL_SAFE}{{10,}}+"),
    _prefixed("Hugging Face", "hf_ api_org_", r"[A-Za-z0-9]{16,}+"),
    _prefixed("GitHub", "ghp_ gho_ ghu_ ghs_ ghr_", r"[A-Za-z0-9]{10,}+"),
    _prefixed("GitHub, fine-grained", "github_pat_", r"[A-Za-z0-9_]{10,}+"),
    _prefixed("GitLab", "glpat- gldt- glrt- glcbt- glptt- glft- glimt- glagent- glsoat- gloas- glffct- GR1348941",
              rf"{_URL_SAFE}{{10,}}+(?:\.{_URL_SAFE}++)*"),
    _prefixed("AWS access key id", "AKIA ASIA ABIA ACCA", r"[A-Z0-9]{12,16}(?![A-Za-z0-9])"),
    _prefixed("AWS unique ids", "AIDA AROA AGPA ANPA ANVA APKA ASCA", r"[A-Z0-9]{16,17}(?![A-Za-z0-9])"),
    _prefixed("Amazon Bedrock", "ABSK bedrock-api-key-", r"[A-Za-z0-9+/=-]{40,}+"),
    _prefixed("Google API", "AIza", rf"{_URL_SAFE}{{20,40}}"),
    _prefixed("Google OAuth", "ya29. GOCSPX- 1//0", rf"{_URL_SAFE}{{16,}}+"),
    _prefixed("Slack", "xoxa- xoxb- xoxc- xoxd- xoxe- xoxe. xoxo- xoxp- xoxr- xoxs- xapp- xwfp-",
        r"[A-Za-z0-9%.-]{10,}+"),
    _prefixed("Stripe", "sk_live_ sk_test_ rk_live_ rk_test_ pk_live_ pk_test_", r"[A-Za-z0-9]{10,}+"),
    _prefixed("Stripe, Svix webhooks", "whsec_", r"[A-Za-z0-9+/=]{16,}+"),
    _prefixed("Groq", "gsk_", r"[A-Za-z0-9]{16,}+"),
    _prefixed("NVIDIA", "nvapi-", rf"{_URL_SAFE}{{16,}}+"),
    _prefixed("xAI, Perplexity, Tavily, Cerebras, Fireworks, Together, Voyage, Cohere",
              "xai- pplx- tvly- csk- fw- fw_ tgp_v1_ pa- co- key_ jina_ fc- e2b_ lsv2_pt_ lsv2_sk_ r8_ esecret_",
              rf"{_NO_KEBAB_CASE}{_URL_SAFE}{{20,}}+"),
    _prefixed("npm", "npm_", r"[A-Za-z0-9]{16,}+"),
    _prefixed("PyPI", "pypi-", rf"{_NO_KEBAB_CASE}{_URL_SAFE}{{16,}}+"),
    _prefixed("RubyGems, NuGet, crates.io, Clojars", "rubygems_ oy2 cio CLOJARS_", r"[A-Za-z0-9]{30,}+"),
    _prefixed("Docker", "dckr_pat_ dckr_oat_", rf"{_URL_SAFE}{{12,}}+"),
    _prefixed("SendGrid", "SG.", rf"{_URL_SAFE}{{16,32}}\.{_URL_SAFE}{{16,64}}"),
    _prefixed("Mailgun, Mailchimp", "key-", r"[0-9a-f]{32}"),
    _prefixed("Brevo, Resend, Postmark", "xkeysib- xsmtpsib- re_", rf"{_NO_KEBAB_CASE}{_URL_SAFE}{{20,}}+"),
    _prefixed("DigitalOcean", "dop_v1_ doo_v1_ dor_v1_", r"[a-f0-9]{20,64}"),
    _prefixed("Databricks", "dapi", r"[a-f0-9]{30,}(?:-[0-9])?"),
    _prefixed("Shopify", "shpat_ shpca_ shppa_ shpss_ shptka_", r"[a-fA-F0-9]{20,}"),
    _prefixed("HashiCorp Vault, Terraform", "hvs. hvb. hvr. s.", rf"(?=[A-Za-z-]{{0,80}}+[0-9_]){_URL_SAFE}{{24,}}+"),
    _prefixed("Linear, Notion, Airtable, Figma, ClickUp", "lin_api_ lin_oauth_ ntn_ secret_ figd_ figo_ figu_ pk_ pat",
              r"(?=[A-Za-z]{0,60}+[0-9])[A-Za-z0-9_.-]{30,}+"),
    _prefixed("Atlassian", "ATATT3 ATCTT3 ATBB ATSTT3", r"[A-Za-z0-9_=-]{20,}+"),
    _prefixed("Grafana, New Relic, Sentry, Honeycomb, Dynatrace",
              "glc_ glsa_ NRAK- NRII- NRAA- NRJS- sntrys_ sntryu_ hcaik_ hcbik_ dt0c01. dt0s01. eyJrIjoi phc_ phx_",
              r"[A-Za-z0-9+/=_.-]{16,}+"),
    _prefixed("PlanetScale, Supabase, Neon, Upstash, Turso, Vercel, Netlify, Render, Fly, Railway",
              "pscale_tkn_ pscale_pw_ pscale_oauth_ sbp_ sb_secret_ sb_publishable_ napi_ nfp_ nfc_ rnd_ fo1_ "
              "FlyV1 vercel_ vcp_",
              rf"[ ]?{_URL_SAFE}{{16,}}+"),
    _prefixed("Doppler, Pulumi, Infisical, 1Password, Bitwarden",
              "dp.st. dp.pt. dp.ct. dp.sa. dp.scim. pul- ops_ st. A3- BW_", r"(?=[A-Za-z._-]{0,80}+[0-9])[A-Za-z0-9"
                                                                            r"._-]{24,}+"),
    _prefixed("Square, PayPal, Adyen, Razorpay, Flutterwave, Plaid, Coinbase, Mercado Pago",
              "APP_USR- sq0atp- sq0csp- sq0idp- EAAA access_token$production$ AQE rzp_live_ rzp_test_ FLWSECK- "
              "FLWSECK_TEST- access-sandbox- access-production- access-development-", r"[A-Za-z0-9+/$_-]{12,}+"),
    _prefixed("Facebook, Instagram", "EAAC EAAB EAAG IGQ IGQV", r"[A-Za-z0-9]{40,}+"),
    _prefixed("Twilio", "SK AC", r"[0-9a-f]{32}(?![0-9A-Za-z])"),
    _prefixed("Postman, Mapbox, Contentful, HubSpot, LaunchDarkly, Typeform",
              "PMAK- pk.eyJ sk.eyJ tk.eyJ CFPAT- pat-na1- pat-eu1- sdk- mob- tfp_ api-", r"(?=[A-Za-z_.-]{0,60}+[0-"
                                                                                         r"9])[A-Za-z0-9_.-]{24,}+"),
    _prefixed("Alibaba, Tencent, Yandex, Oracle", "LTAI AKID y0_ AQVN YCAJE YCP t1. ocid1.", r"(?=[A-Za-z._-]{0,60}"
                                                                                             r"+[0-9])[A-Za-z0-9_.="
                                                                                             r"-]{14,}+"),
    _prefixed("Dropbox, Box, Zapier", "sl. sl.u. sl.B", rf"(?=[A-Za-z_-]{{0,80}}+[0-9]){_URL_SAFE}{{40,}}+"),
    _prefixed("Snyk, Sonar, CircleCI, Buildkite, Codecov, Travis",
              "snyk_uat. sqp_ squ_ sqa_ CCIPAT_ CCIPRJ_ bkua_ bkaj_ ccipat_ bt-", r"[A-Za-z0-9._-]{16,}+"),
    _prefixed("Tailscale, WireGuard, ngrok, Cloudflare", "tskey- nodekey: privkey: ngrok_ v1.0- cfut_ cfat_",
        r"[A-Za-z0-9-]{16,}+"),
    _prefixed("age", "AGE-SECRET-KEY-1 AGE-PLUGIN-", r"[A-Z0-9]{20,60}"),
    _prefixed("wallets", "bc1 ltc1 xprv xpub zprv yprv 5K L K", r"(?=[a-zA-Z]{0,40}+[0-9])[0-9A-HJ-NP-Za-z]{38,}+"),
    _prefixed("Ethereum", "0x", r"(?:[0-9a-fA-F]{64}|[0-9a-fA-F]{40})(?![0-9A-Za-z])"),
    _prefixed("Nostr, Ripple", "nsec1 npub1", r"[0-9a-z]{50,}+"),
    _prefixed("password hash", "$2a$ $2b$ $2y$ $5$ $6$ $1$ $apr1$ $y$ $argon2id$ $argon2i$ $argon2d$ $scrypt$ "
                               "$pbkdf2-sha256$ {SSHA} {SHA}",
              r"[A-Za-z0-9./$+=,]{20,}+"),
    _prefixed("JSON Web Token", "eyJ",
              rf"{_URL_SAFE}{{8,}}+\.{_URL_SAFE}{{8,}}+\.{_URL_SAFE}{{8,}}+(?:\.{_URL_SAFE}++){{0,2}}"),
    _prefixed("JSON Web Token, a part", "eyJhbGci eyJ0eXAi eyJraWQi", r"[A-Za-z0-9_.-]{10,}+"),
)  # fmt: skip

TOKENS_IN_CONTEXT = (
    _in_context("Telegram bot", ":AA",
                rf"(?<![A-Za-z0-9:])(?P<value>[0-9]{{8,10}}:AA{_URL_SAFE}{{33}})(?!{_URL_SAFE})"),
    _in_context("Slack webhook", "hooks.slack.com/", r"hooks\.slack\.com/services/(?P<value>[A-Za-z0-9/_-]{20,}+)"),
    _in_context("Authorization header", "uthorization UTHORIZATION",
                r"""(?i:authorization)\\?["']?\s{0,4}[:=]\s{0,4}\\?["']?(?i:bearer|basic|token|apikey)\s{1,4}"""
                r"(?P<value>[A-Za-z0-9._~+/=-]{8,}+)"),
    _in_context("bearer token", "earer BEARER",
                r"(?<![A-Za-z])(?i:bearer)\s{1,4}(?=[A-Za-z._~+/=-]{0,80}+[0-9])(?P<value>[A-Za-z0-9._~+/=-]{16,}+)"),
    _in_context("signed URL", "sig= ignature=",
                r"[?&](?i:sig|(?:X-Amz-|X-Goog-)?Signature)=(?P<value>[A-Za-z0-9%/+=_-]{20,}+)"),
    _in_context("password in a URL", "://",
                r"""://[^\s/?#:@'"<>`]{0,128}+:(?!\$(?:[A-Z_][A-Z0-9_]*+@|[{(])|[<{]|\*{3})"""
                r"""(?P<value>[^\s/'"<>`@]{1,128}+(?:@[^\s/'"<>`@]{1,128}+)*?)"""
                r"""@(?=[\w.\[-]++(?:[:/?#\s'"<>`),;\]]|\Z))""", Kind.PASSWORD),
    _in_context("Authorization header, other schemes", "uthorization UTHORIZATION",
                r"""(?i:(?:proxy-)?authorization)\\?["']?\s{0,4}[:=]\s{0,4}\\?["']?(?P<value>(?!(?i:bearer|basic|token|apikey)\b)"""
                r"""[^\s"'<>{}$][^"'\n<>{}]{10,600})"""),
    _in_context("cookies", "ookie: OOKIE: ookie= ookie\"",
                r"""(?i:(?:set-)?cookie)\\?["']?\s{0,2}[:=]\s{0,2}\\?["']?(?P<value>[A-Za-z0-9_.-]{1,64}=[^\s;"'<>\\]{6,2000}"""
                r"""(?:;\s?[A-Za-z0-9_.-]{1,64}=[^\s;"'<>\\]{1,2000}){0,40})"""),
    _in_context("custom headers", "-Key: -Token: -key: -token: -Secret: -secret: -Auth: -auth: -KEY: -TOKEN:",
                r"-(?<=[A-Za-z0-9]-)(?i:key|token|secret|auth):[ \t]{0,3}(?P<value>[A-Za-z0-9._~+/=-]{12,}+)"),
    _in_context("session in a URL", "=",
                r"[?&;](?i:access_token|refresh_token|id_token|token|code|key|api_?key|auth|session(?:_?id)?|sid|se"
                r"cret|password|pwd"
                r"|client_secret|jwt|assertion|SAMLResponse|state|ticket)=(?P<value>[A-Za-z0-9%._~+/=-]{8,}+)"),
    _in_context("one-time password secret", "otpauth:// secret=",
                r"[?&]secret=(?P<value>[A-Za-z2-7]{12,}+)"),
    _in_context("netrc", "machine password",
                r"machine\s+\S{1,100}\s+login\s+\S{1,100}\s+password\s+(?P<value>\S{3,200})", Kind.PASSWORD),
    _in_context("pgpass", ":5432: :3306: :1433: :27017: :6379: :*:",
                r"(?m:^)[\w.*-]{1,60}:(?:[0-9]{2,5}|\*):[\w*-]{1,60}:[\w-]{1,60}:(?P<value>[^\s:]{4,100})(?m:$)",
                    Kind.PASSWORD),
    _in_context("Sentry DSN", "ingest @sentry",
                r"://(?P<value>[0-9a-f]{32})(?::[0-9a-f]{32})?@"),
    _in_context("Discord webhook and token", "discord",
                r"discord(?:app)?\.com/api/webhooks/(?P<value>[0-9]{10,20}/[A-Za-z0-9_-]{30,})"),
    _in_context("Microsoft Teams webhook", "webhook.office.com",
                r"webhook\.office\.com/webhookb2/(?P<value>[A-Za-z0-9@/-]{30,})"),
    _in_context("Azure client secret", "Q~",
                r"(?<![A-Za-z0-9_~.-])(?P<value>[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34})"),
    _in_context("Azure storage and service bus", "Key=",
                r"(?:AccountKey|SharedAccessKey|Key)=(?P<value>[A-Za-z0-9+/]{20,}+={0,2})"),
    _in_context("Terraform Cloud", ".atlasv1.",
                r"(?P<value>[A-Za-z0-9]{10,20}\.atlasv1\.[A-Za-z0-9_=-]{20,})"),
    _in_context("Mailchimp", "-us", r"(?<![0-9a-z])(?P<value>[0-9a-f]{32}-us[0-9]{1,2})(?![0-9a-z])"),
    _in_context("hexadecimal digits after a vendor's name", "_",
                r"_(?<=[a-z]_)(?<!md5_)(?<!sha_)(?<!hash_)(?<!digest_)(?<!commit_)(?<!rev_)(?<!sum_)(?<!x_)"
                r"(?P<value>[0-9a-f]{30,128}|[0-9a-f]{12,32}_[0-9a-f]{30,128})(?![0-9A-Za-z_])"),
    _in_context("New Relic", "NRAL", r"(?<![0-9A-Za-z])(?P<value>[0-9a-f]{36}NRAL)(?![0-9A-Za-z])"),
    _in_context("Asana", "1/ 2/", r"(?<![0-9A-Za-z/.])(?P<value>[12]/[0-9]{13,20}(?:/[0-9]{13,20})?:[0-9a-f]{32})"),
    _in_context("registry login", '"auth', r'"auth"\s{0,3}:\s{0,3}"(?P<value>[A-Za-z0-9+/]{8,}+={0,2})"'),
    _in_context("machine-readable zone of a passport", "<<",
                r"(?<![A-Za-z0-9<])(?P<value>(?=[A-Z0-9]{1,43}<)[A-Z0-9<]{30,44})(?![A-Za-z0-9<])", Kind.ID),
    _in_context("address in a host name", "ip- ec2-",
                r"(?<![A-Za-z0-9])(?:ip|ec2)-(?P<value>[0-9]{1,3}(?:-[0-9]{1,3}){3})(?![0-9])", Kind.IP),
    _in_context("WhatsApp link", "wa.me/ whatsapp.com/",
                r"(?:wa\.me/|phone=)(?P<value>\+?[0-9]{7,15})(?![0-9])", Kind.PHONE),
    _in_context("post box", "Box BOX Postfach ostale partado ostbus kritka",
                r"(?<![A-Za-z])(?P<value>(?:P\.?[ ]?O\.?[ ]?B(?:ox|OX)|Postfach|Boîte postale|Apartado(?: de correos)?"
                r"|Postbus|Skrytka pocztowa)[ ](?:n[º°o.]{0,2}[ ])?[0-9]{1,7}(?:,[ ][\w. -]{2,30}){0,3})",
                Kind.ADDRESS),
    _in_context("NMEA sentence", "$G", r"\$G[A-Z](?:GGA|RMC|GLL|GNS),(?P<value>[^\s*]{10,80})", Kind.LOCATION),
    _in_context("WPA passphrase in a QR code", "WIFI:", r"WIFI:[^\n]{0,80}?P:(?P<value>[^;\n]{4,63})", Kind.PASSWORD),
    _in_context("JSON Web Key", '"kty', r'"(?:d|k|p|q|dp|dq|qi)"\s{0,3}:\s{0,3}"(?P<value>[A-Za-z0-9_-]{16,}+)"'),
    _in_context("curl --user", "curl",
                r"(?<![\w-])curl(?=\s)(?:(?!curl\s)[^\n]){0,1000}?\s(?:-u|--user)[ =]"
                r"['\"]?[^\s:'\"]{1,64}:(?P<value>[^\s'\"]{3,128})", Kind.PASSWORD),
)  # fmt: skip


def prefixed_tokens(text: str) -> Iterator[Span]:
    """Find the keys and tokens of ``PREFIXED_TOKENS``."""
    runs = " ".join(RUN.findall(text))
    for row in PREFIXED_TOKENS:
        for prefix in row.prefixes:
            start = text.find(prefix) if prefix in runs or not _IN_A_RUN.fullmatch(prefix) else -1
            while start >= 0:
                end = start + len(prefix)
                if start == 0 or not _BEFORE.match(text, start - 1):
                    body = row.body.match(text, end)
                    if body:
                        end = body.start() + len(body[0].rstrip(".,"))
                        yield Span(start, end, Kind.KEY)
                start = text.find(prefix, end)


def tokens_in_context(text: str) -> Iterator[Span]:
    """Find the keys, tokens and passwords of ``TOKENS_IN_CONTEXT``."""
    for row in TOKENS_IN_CONTEXT:
        if any(literal in text for literal in row.literals):
            for match in row.pattern.finditer(text):
                yield Span(*match.span("value"), row.kind)
