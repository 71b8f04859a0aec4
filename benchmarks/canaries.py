"""Seeded private values of many kinds, and the ways in which people paste them.

The values are made after the issuers' and states' descriptions of their shapes, not from the detectors' patterns.
``HELD_OUT`` was made apart: shapes of makers and states that no row was written for, to tell how the families hold.
"""

from __future__ import annotations

import base64
import html
import json
import quopri
import random
import string
import urllib.parse
from collections.abc import Callable

Make = Callable[[random.Random], str]
WORDS = ["apple", "river", "stone", "cloud", "maple", "tiger", "ocean", "lunar", "noble", "quick"]
BASE62 = string.ascii_letters + string.digits
URL_SAFE = BASE62 + "-_"
HEX = "0123456789abcdef"
BASE32 = string.ascii_uppercase + "234567"


def drawn(rng: random.Random, length: int, alphabet: str = BASE62) -> str:
    """Return random characters, at least one of them a digit where the alphabet has digits."""
    text = "".join(rng.choices(alphabet, k=length))
    return text if any(map(str.isdigit, text)) or "7" not in alphabet else f"{text[:-1]}7"


def digits(rng: random.Random, length: int) -> str:
    """Return random digits, the first of them not 0."""
    return str(rng.randrange(1, 10)) + "".join(rng.choices(string.digits, k=length - 1))


def with_luhn(number: str) -> str:
    """Append the check digit of ISO/IEC 7812."""
    total = sum(
        sum(divmod(2 * int(digit), 10)) if index % 2 == 0 else int(digit) for index, digit in enumerate(number[::-1])
    )
    return number + str(-total % 10)


def card(rng: random.Random) -> str:
    """Return a card number with its check digit, in groups or not."""
    prefix, length = rng.choice([("4", 16), ("51", 16), ("55", 16), ("2221", 16), ("6011", 16), ("37", 15)])
    number = with_luhn(prefix + "".join(rng.choices(string.digits, k=length - len(prefix) - 1)))
    if length == 15:
        return rng.choice([number, f"{number[:4]} {number[4:10]} {number[10:]}"])
    separator = rng.choice(["", " ", "-"])
    return separator.join(number[at : at + 4] for at in range(0, 16, 4))


def iban(rng: random.Random) -> str:
    """Return an account number with its check digits."""
    country, length = rng.choice([("DE", 18), ("FR", 23), ("ES", 20), ("NL", 14), ("GB", 18), ("AT", 16), ("PL", 24)])
    account = "".join(rng.choices(string.digits, k=length))
    if country in {"NL", "GB"}:
        account = "".join(rng.choices(string.ascii_uppercase, k=4)) + account[4:]
    check = 98 - int("".join(str(int(c, 36)) for c in account + country + "00")) % 97
    number = f"{country}{check:02d}{account}"
    return number if rng.random() < 0.5 else " ".join(number[at : at + 4] for at in range(0, len(number), 4))


def email(rng: random.Random) -> str:
    """Return an e-mail address."""
    local = rng.choice(["anna.schmidt", "j.doe+news", "li_wei", "o-brien", "maría", "k.yamada"]) + str(
        rng.randrange(10**4)
    )
    return (
        f"{local}@{rng.choice(['mail', 'corp', 'post'])}{rng.randrange(1000)}."
        f"{rng.choice(['example.com', 'example.org', 'co.uk', 'de'])}"
    )


def phone(rng: random.Random) -> str:
    """Return a telephone number of one of several countries."""
    shapes: list[Callable[[], str]] = [
        lambda: f"+49 {rng.randrange(151, 179)} {digits(rng, 7)}",
        lambda: f"+1 ({rng.randrange(201, 989)}) {rng.randrange(200, 999)}-{rng.randrange(1000, 9999)}",
        lambda: f"{rng.randrange(201, 989)}-{rng.randrange(200, 999)}-{rng.randrange(1000, 9999)}",
        lambda: f"+44 20 {digits(rng, 4)} {digits(rng, 4)}",
        lambda: "06" + "".join(f" {rng.randrange(10, 99)}" for _ in range(4)),
        lambda: f"0{rng.randrange(30, 99)}/{digits(rng, 7)}",
        lambda: f"+33{digits(rng, 9)}",
        lambda: f"+91 {rng.randrange(60000, 99999)} {digits(rng, 5)}",
        lambda: f"0041 44 {digits(rng, 3)} {rng.randrange(10, 99)} {rng.randrange(10, 99)}",
    ]
    return rng.choice(shapes)()


def private_key(rng: random.Random) -> str:
    """Return a private key in PEM."""
    kind = rng.choice(["RSA ", "EC ", "OPENSSH ", "", "ENCRYPTED "])
    body = "\n".join(drawn(rng, 64, BASE62 + "+/") for _ in range(rng.randint(3, 8)))
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{body}\n{drawn(rng, 30)}==\n-----END {kind}PRIVATE KEY-----"


def json_web_token(rng: random.Random) -> str:
    """Return a signed JSON Web Token."""
    parts = [{"alg": "HS256", "typ": "JWT"}, {"sub": drawn(rng, 8), "iat": rng.randrange(10**9)}]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, drawn(rng, 43, URL_SAFE)])


def fiscal_code(rng: random.Random) -> str:
    """Return an Italian codice fiscale, with its check character."""
    body = (
        drawn_letters(rng, 6) + f"{rng.randrange(100):02d}" + rng.choice("ABCDEHLMPRST") + f"{rng.randrange(1, 31):02d}"
    )
    body += rng.choice("ABCDEFGHIL") + f"{rng.randrange(100, 999)}"
    odd_values = [
        1,
        0,
        5,
        7,
        9,
        13,
        15,
        17,
        19,
        21,
        *(1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12),
    ]
    odd = dict(zip(string.digits + string.ascii_uppercase, [*odd_values, 14, 16, 10, 22, 25, 24, 23], strict=True))
    even = {c: int(c, 36) - (10 if c.isalpha() else 0) for c in string.digits + string.ascii_uppercase}
    total = sum(odd[c] if at % 2 == 0 else even[c] for at, c in enumerate(body))
    return body + string.ascii_uppercase[total % 26]


def drawn_letters(rng: random.Random, length: int) -> str:
    """Return random capitals."""
    return "".join(rng.choices("BCDFGLMNPRSTVZ", k=length))


def spanish_id(rng: random.Random) -> str:
    """Return a DNI with its check letter."""
    number = rng.randrange(10**7, 10**8)
    return f"{number}{'TRWAGMYFPDXBNJZSQVHLCKE'[number % 23]}"


def pesel(rng: random.Random) -> str:
    """Return a Polish number with its check digit."""
    body = f"{rng.randrange(40, 99):02d}{rng.randrange(1, 13):02d}{rng.randrange(1, 29):02d}{rng.randrange(10**4):04d}"
    return body + str(-sum(int(d) * w for d, w in zip(body, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3), strict=True)) % 10)


def french_nir(rng: random.Random) -> str:
    """Return a social security number with its check digits."""
    body = (
        f"{rng.choice('12')}{rng.randrange(100):02d}{rng.randrange(1, 13):02d}"
        f"{rng.randrange(10, 95):02d}{rng.randrange(1, 990):03d}{rng.randrange(1, 999):03d}"
    )
    number = f"{body}{97 - int(body) % 97:02d}"
    return rng.choice(
        [number, f"{number[0]} {number[1:3]} {number[3:5]} {number[5:7]} {number[7:10]} {number[10:13]} {number[13:]}"]
    )


def brazilian_cpf(rng: random.Random) -> str:
    """Return a CPF with its check digits."""
    body = digits(rng, 9)
    for _ in range(2):
        rest = sum(int(d) * w for d, w in zip(body, range(len(body) + 1, 1, -1), strict=True)) % 11
        body += str(0 if rest < 2 else 11 - rest)
    return f"{body[:3]}.{body[3:6]}.{body[6:9]}-{body[9:]}"


def birth_date(rng: random.Random) -> str:
    """Return a date in one of several forms."""
    year, month, day = rng.randrange(1940, 2010), rng.randrange(1, 13), rng.randrange(1, 29)
    name = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
        "November",
            "December"][month - 1]  # fmt: skip
    return rng.choice(
        [
            f"{year}-{month:02d}-{day:02d}",
            f"{day:02d}.{month:02d}.{year}",
            f"{day}/{month}/{year}",
            f"{name} {day}, {year}",
        ]
    )


def address(rng: random.Random) -> str:
    """Return a postal address of Germany, the United States or France."""
    number, code = rng.randrange(1, 200), rng.randrange(10000, 95999)
    return rng.choice(
        [
            f"{rng.choice(['Linden', 'Garten', 'Schiller'])}straße {number}, {code} {rng.choice(['Köln', 'Leipzig'])}",
            f"{number}1 {rng.choice(['Maple', 'Oak'])} {rng.choice(['Street', 'Avenue'])}, Springfield, IL {code}",
            f"{number} rue de {rng.choice(['Rivoli', 'Lyon'])}, {code} Paris",
        ]
    )


SECRETS: dict[str, Make] = {
    "openai": lambda r: "sk-proj-" + drawn(r, 74, URL_SAFE),
    "anthropic": lambda r: "sk-ant-api03-" + drawn(r, 93, URL_SAFE) + "AA",
    "hugging_face": lambda r: "hf_" + drawn(r, 34),
    "github": lambda r: r.choice(["ghp_", "gho_", "ghs_"]) + drawn(r, 36),
    "github_fine": lambda r: f"github_pat_{drawn(r, 22)}_{drawn(r, 59)}",
    "gitlab": lambda r: "glpat-" + drawn(r, 20, URL_SAFE),
    "aws_id": lambda r: "AKIA" + drawn(r, 16, BASE32),
    "google": lambda r: "AIza" + drawn(r, 35, URL_SAFE),
    "slack": lambda r: f"xoxb-{digits(r, 12)}-{digits(r, 12)}-{drawn(r, 24)}",
    "stripe": lambda r: "sk_live_" + drawn(r, 24),
    "npm": lambda r: "npm_" + drawn(r, 36),
    "pypi": lambda r: "pypi-AgEIcHlwaS5vcmc" + drawn(r, 150, URL_SAFE),
    "sendgrid": lambda r: f"SG.{drawn(r, 22, URL_SAFE)}.{drawn(r, 43, URL_SAFE)}",
    "twilio": lambda r: "SK" + drawn(r, 32, HEX),
    "azure_secret": lambda r: f"{drawn(r, 3)}8Q~{drawn(r, 34, BASE62 + '_.-')}x",
    "digital_ocean": lambda r: "dop_v1_" + drawn(r, 64, HEX),
    "vault": lambda r: "hvs." + drawn(r, 90, URL_SAFE),
    "jwt": json_web_token,
    "private_key": private_key,
}
PERSONAL: dict[str, Make] = {
    "email": email,
    "phone": phone,
    "iban": iban,
    "card": card,
    "us_ssn": lambda r: f"{r.randrange(1, 899):03d}-{r.randrange(1, 99):02d}-{r.randrange(1, 9999):04d}",
    "codice_fiscale": fiscal_code,
    "dni": spanish_id,
    "pesel": pesel,
    "nir": french_nir,
    "cpf": brazilian_cpf,
    "nino": lambda r: r.choice("ABCEGHJ") + r.choice("ABCEGHJ") + f"{r.randrange(10**5, 10**6)}" + r.choice("ABCD"),
    "ipv4": lambda r: f"{r.choice([10, 172, 192, 203, 84])}.{r.randrange(1, 255)}."
                      f"{r.randrange(1, 255)}.{r.randrange(1, 255)}",
    "ipv6": lambda r: "2001:db8:" + ":".join(f"{r.randrange(4096, 65535):x}" for _ in range(6)),
    "mac": lambda r: r.choice(":-").join(f"{r.randrange(1, 255):02x}" for _ in range(6)),
    "coordinates": lambda r: f"{r.uniform(-80, 80):.5f}, {r.uniform(-170, 170):.5f}",
    "address": address,
}  # fmt: skip
IN_CONTEXT: dict[str, tuple[Make, tuple[str, ...]]] = {
    "password": (
        lambda r: drawn(r, r.randint(8, 14), BASE62 + "!$%*+#") + r.choice(string.digits),
        ('password = "{}"', "Passwort: {}", '"password": "{}"', "DB_PASSWORD={}", "mon mot de passe est {}",
            "--password {}"),
    ),
    "url_password": (
        lambda r: drawn(r, 12),
        ("postgres://app:{}@db.internal:5432/app", "https://admin:{}@host.example/x", "redis://:{}@cache:6379/0"),
    ),
    "aws_secret": (
        lambda r: drawn(r, 40, BASE62 + "/+"),
        ("aws_secret_access_key = {}", 'AWS_SECRET_ACCESS_KEY="{}"', "secretAccessKey: {}"),
    ),
    "hex_key": (
        lambda r: drawn(r, 32, HEX),
        ("api_key={}", '"apiKey": "{}"', "X-Api-Key: {}", "client_secret: {}"),
    ),
    "bearer": (lambda r: drawn(r, 40), ("Authorization: Bearer {}", "-H 'authorization: bearer {}'")),
    "cookie": (lambda r: drawn(r, 32, HEX), ("Cookie: sessionid={}; theme=dark", "Set-Cookie: PHPSESSID={}; HttpOnly")),
    "account_key": (
        lambda r: base64.b64encode(r.randbytes(64)).decode(),
        ("DefaultEndpointsProtocol=https;AccountName=x;AccountKey={};EndpointSuffix=core", "SharedAccessKey={}"),
    ),
    "birth_date": (
        birth_date,
        ("born on {}", "date of birth: {}", "geboren am {}", "né le {}", "fecha de nacimiento: {}", '"dob": "{}"',
            "生年月日: {}"),
    ),
    "passport": (
        lambda r: r.choice("CFGHK") + drawn(r, 8, "0123456789CFGHJKLMNPRTVWXYZ"),
        ("passport no. {}", "Reisepass-Nr.: {}", "passeport {}", "passport: {}"),
    ),
    "license": (lambda r: r.choice(string.ascii_uppercase) + digits(r, 7), ("driver's license {}",
    "Führerschein Nr. {}")),
    "account": (lambda r: digits(r, 10), ("account number: {}", "Kontonummer {}", "routing number {}")),
    "bsn": (lambda r: digits(r, 9), ("BSN: {}", "my BSN is {}", "burgerservicenummer {}")),
    "local_phone": (lambda r: f"555-{r.randrange(1000, 9999):04d}", ("call me at {}", "Tel: {}", "phone: {}")),
}  # fmt: skip
HELD_OUT: dict[str, tuple[Make, tuple[str, ...]]] = {
    "unknown_prefix": (lambda r: f"{r.choice(['zq', 'mk', 'acme', 'tok'])}_{drawn(r, 32)}", ("{}", "use {} here",
    "k={}")),
    "unknown_dashed": (lambda r: "-".join(drawn(r, 8) for _ in range(4)), ("{}", "key {}")),
    "base64_32": (lambda r: base64.b64encode(r.randbytes(32)).decode(), ("{}", "value: {}", "'{}'")),
    "url_safe_43": (lambda r: base64.urlsafe_b64encode(r.randbytes(32)).decode().rstrip("="), ("{}", "id={}")),
    "lower_36": (lambda r: drawn(r, 30, string.ascii_lowercase + string.digits), ("{}", "({})")),
    "base32_26": (lambda r: drawn(r, 26, BASE32), ("{}", "seed {}")),
    "named_hex": (lambda r: drawn(r, 40, HEX), ("MY_SERVICE_TOKEN={}", "secret: '{}'",
    "token {} is mine".replace(" {}", ": {}"))),
    "uuid_key": (
        lambda r: f"{drawn(r, 8, HEX)}-{drawn(r, 4, HEX)}-4{drawn(r, 3, HEX)}-a{drawn(r, 3, HEX)}-{drawn(r, 12, HEX)}",
        ("HEROKU_API_KEY={}", "client_secret = '{}'"),
    ),
    "passphrase": (lambda r: "-".join(r.choices(WORDS,
    k=4)) + str(r.randrange(99)), ("passphrase: {}", 'pwd="{}"')),
    "wifi": (lambda r: drawn(r, 10), ("WIFI:S:home;T:WPA;P:{};;", "wpa_passphrase={}", "WLAN-Passwort: {}")),
    "swedish_id": (lambda r: with_luhn(f"{r.randrange(50, 99)}{r.randrange(1, 13):02d}"
                                       f"{r.randrange(1, 29):02d}{r.randrange(1000):03d}"), ("personnummer {}",)),
    "indian_pan": (lambda r: f"{drawn_letters(r, 3)}P{drawn_letters(r, 1)}{digits(r, 4)}{drawn_letters(r, 1)}",
    ("PAN {}", "{}")),
    "norwegian_phone": (lambda r: f"+47 {digits(r, 3)} {r.randrange(10, 99)} {digits(r, 3)}", ("{}", "ring {}")),
    "japanese_phone": (lambda r: f"090-{digits(r, 4)}-{digits(r, 4)}", ("{}", "電話 {}")),
    "cisco_mac": (lambda r: ".".join(drawn(r, 4, HEX) for _ in range(3)), ("{}", "mac {}")),
    "degrees": (lambda r: f"{r.randrange(1, 80)}°{r.randrange(10, 59)}'{r.randrange(10, 59)}\"N "
                          f"{r.randrange(1, 170)}°{r.randrange(10, 59)}'{r.randrange(10, 59)}\"E", ("{}",)),
    "disguised_email": (lambda r: f"anna{r.randrange(999)} [at] example{r.randrange(99)} [dot] org", ("{}",
    "write to {}")),
    "pin": (lambda r: digits(r, 4), ("PIN: {}", "my pin is {}")),
    "medical_record": (lambda r: digits(r, 8), ("MRN: {}", "patient id {}")),
    "seed_phrase": (lambda r: " ".join(r.choices(WORDS, k=12)), ("seed phrase: {}", "my recovery phrase is {}")),
}  # fmt: skip


def spelled(value: str, form: str) -> str:
    """Return a value as people paste it: ``plain``, or in one of the ``FORMS``."""
    return _SPELLINGS[form](value) if form in _SPELLINGS else value


_SPELLINGS: dict[str, Callable[[str], str]] = {
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "percent": lambda value: urllib.parse.quote(value, safe=""),
    "html": lambda value: "".join(f"&#{ord(c)};" if c in "@:+-/._ " else html.escape(c) for c in value),
    "json": lambda value: json.dumps(value)[1:-1].replace("@", "\\u0040").replace("-", "\\u002d"),
    "utf16": lambda value: "".join(f"\\u{ord(c):04x}" for c in value),
    "quoted": lambda value: quopri.encodestring(value.encode(), quotetabs=True).decode(),
    "zero_width": "\u200b".join,
    "full_width": lambda value: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in value),
    "hex": lambda value: value.encode().hex(),
}
FORMS = tuple(_SPELLINGS)
