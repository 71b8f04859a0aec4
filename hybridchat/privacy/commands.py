"""Passwords that commands, calls and statements take in a place of their own, where no name announces them."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from hybridchat.privacy.spans import Kind, Span

_VALUE = r"""(?:(?P<quote>['"])(?P<quoted>[^'"\n]{4,128})(?P=quote)|(?P<bare>(?![$<{*'"-])[^\s'"`]{4,128}))"""
_STRING = r"""N?(?P<quote>['"])(?P<quoted>[^'"\n]{4,128})(?P=quote)"""
_NAME_THEN = r"""(?:u?['"][^'"\n]{1,80}['"]|[\w.$]{1,60})\s{0,4},\s{0,4}"""
_COMMAND = r"(?<![\w-])(?:%s)(?=[ \t])[^\n|;]{0,200}?[ \t]"
_BEFORE, _AFTER = 80, 800  # characters around a literal
_MANIFEST_VALUE = re.compile(
    r"(?m:^)[ \t]{1,12}[\w.-]{1,80}:[ ]\"?(?P<value>[A-Za-z0-9+/]{4,4000}+={0,2})\"?[ \t]*(?m:$)"
)
_STRONG = re.compile(r"(?=[^\d]*\d)(?=[\W\d_]*[^\W\d_]).{6,}")
_NO_VALUE = re.compile(r"\$[{(A-Za-z_]|<[^>]*>|\{\{|%[sd(]|os\.|process\.|(.)\1{3,}\Z")


def _row(literals: str, pattern: str, *, strong: bool = False) -> tuple[tuple[str, ...], re.Pattern[str], bool]:
    return tuple(literal.replace("~", " ") for literal in literals.split()), re.compile(pattern), strong


_ROWS = (
    _row("docker podman nerdctl skopeo helm oras crane buildah", _COMMAND
         % r"(?:docker|podman|nerdctl|buildah|skopeo|crane|oras|helm(?: registry)?) login" + rf"-p[ =]?{_VALUE}"),
    _row("sshpass", _COMMAND.replace("{0,200}?[ \\t]", "{0,40}?[ \\t]") % "sshpass" + rf"-p ?{_VALUE}"),
    _row("mongo sqlcmd bcp~ isql~ rabbitmqadmin az~login cqlsh ipmitool oc~login",
         _COMMAND % r"mongo[a-z]{0,8}|sqlcmd|bcp|isql|rabbitmqadmin|az login|cqlsh|ipmitool|oc login"
         + rf"-[pPU](?![a-z])[ ]?{_VALUE}", strong=True),
    _row("ldap", _COMMAND % r"ldap[a-z]{3,10}" + rf"-w[ ]?{_VALUE}"),
    _row("zip~ 7z rar~", _COMMAND % r"zip|unzip|7z[ar]?|unrar|rar" + rf"-(?:P[ ]|p){_VALUE}", strong=True),
    _row("redis-cli valkey-cli", _COMMAND % r"redis-cli|valkey-cli" + rf"-a[ ]{_VALUE}"),
    _row("curl~", _COMMAND % "curl" + r"-u['\"]?[^\s:'\"]{1,64}:(?P<bare>[^\s'\"]{3,128})"),
    _row("htpasswd", _COMMAND % "htpasswd"
         + r"-[a-zA-Z]{0,6}b[a-zA-Z]{0,6}[ ](?:-\S{1,10}[ ])*\S{1,200}[ ]\S{1,80}[ ]" + _VALUE),
    _row("smbclient rpcclient net~ smbget", _COMMAND % "smbclient|rpcclient|net|smbget"
         + r"(?:-U|--user)[ =]?['\"]?[^\s%'\"]{1,80}%(?P<bare>[^\s'\"]{3,128})"),
    _row("net~use NET~USE", rf"(?i:(?<![\w-])net use)[^\n]{{0,200}}?/(?i:user):\S{{1,80}}[ ]{_VALUE}"),
    _row("chpasswd", r"echo[ ]{1,3}-?[a-z]?[ ]?['\"]?[\w.-]{1,64}:(?P<bare>[^\s'\"|]{3,128})['\"]?"
                     r"[ ]{0,3}\|[^\n|]{0,20}chpasswd"),
    _row("sudo", rf"echo[ ]{{1,3}}{_VALUE}[ ]{{0,3}}\|[ ]{{0,3}}sudo[ ][^\n]{{0,30}}?-[a-zA-Z]{{0,3}}S"),
    _row("passwd", rf"passwd[^\n]{{0,60}}<<<[ ]?{_VALUE}"),
    _row("rabbitmqctl", rf"rabbitmqctl[ ](?:add_user|change_password|authenticate_user)[ ]\S{{1,80}}[ ]{_VALUE}"),
    _row("snmp", _COMMAND % "snmp[a-z]{2,12}" + rf"-[AXc][ ]?{_VALUE}", strong=True),
    _row("community", rf"snmp-server[ ]community[ ]{_VALUE}"),
    _row("rclone", r"rclone[ ][^\n]{0,200}?[ ]pass[ ]" + _VALUE),
    _row("jdbc:", r"jdbc:oracle:\w{1,8}:[^\s/@:]{1,60}/(?P<bare>[^\s@/'\"]{3,128})@"),
    _row("dentified DENTIFIED", r"(?i:identified\s{1,4}(?:with\s{1,4}\S{1,40}\s{1,4})?(?:by|as)\s{1,4}"
                                rf"(?:password\s{{1,4}})?){_STRING}"),
    _row("auth( auth=( auth~=~( BasicAuth( DigestAuth( basic_auth( basicAuth( login( Credential( Credentials(",
         r"(?:auth\s{0,2}=\s{0,2}|[Bb]asic_?[Aa]uth|DigestAuth|\bauth|\blogin|Credentials?)\(\s{0,4}"
         rf"{_NAME_THEN}{_STRING}"),
    _row("getConnection DBI- PDO( mysqli pg_connect oci_connect ftp_login",
         r"(?:getConnection|DBI->connect(?:_cached)?|new\s{1,3}(?:PDO|mysqli)|mysqli_connect|oci_connect|ftp_login)"
         rf"\(\s{{0,4}}{_NAME_THEN}(?:{_NAME_THEN})?{_STRING}"),
    _row("SecureString", rf"ConvertTo-SecureString\s{{1,4}}(?:-String\s{{1,4}})?{_STRING}"),
    _row("password", r"""type=["']password["'][^<>\n]{0,200}?\svalue=""" + _STRING),
    _row("redentials ugangsdaten login~ Login~ dentifiants redenciales redenziali logged~in log~in Log~in creds",
         r"(?i:\b(?:credentials?|creds|zugangsdaten|login(?:daten)?|log(?:ged)?[ ]in|identifiants|credenciales"
         r"|credenziali))"
         r"\b(?:[ ](?:are|is|with|as|for|mit|sind|son|sono|sont)){0,2}:?[ ]{1,3}[\w.@+-]{1,80}"
         r"(?:[ ]?[/|:,][ ]?|[ ](?:and|und|et|y|e|with|mit)[ ](?:password[ ])?)" + _VALUE, strong=True),
)  # fmt: skip


def passwords_of_commands(text: str) -> Iterator[Span]:
    """Find the passwords that stand where a command, a call or a statement expects one."""
    if "kind: Secret" in text:
        yield from _of_kubernetes(text)
    for literals, pattern, strong in _ROWS:
        for begin, until in _near(text, literals):
            for match in pattern.finditer(text, begin, until):
                group = match.lastgroup or "bare"
                start, end = match.span(group)
                value = text[start:end].rstrip(",.);") if group == "bare" else text[start:end]
                if not _NO_VALUE.match(value) and (not strong or _STRONG.match(value)):
                    yield Span(start, start + len(value), Kind.PASSWORD)


def _near(text: str, literals: tuple[str, ...]) -> list[tuple[int, int]]:
    """Return where the literals stand, with all that may belong to them: far less to search than the text."""
    places = []
    for literal in literals:
        at = text.find(literal)
        while at >= 0:
            places.append(at)
            at = text.find(literal, at + len(literal))
    windows: list[tuple[int, int]] = []
    for at in sorted(places):
        if windows and at - _BEFORE <= windows[-1][1]:
            windows[-1] = windows[-1][0], at + _AFTER
        else:
            windows.append((max(0, at - _BEFORE), at + _AFTER))
    return windows


def _of_kubernetes(text: str) -> Iterator[Span]:
    """Find the values of a Secret's manifest: what they say need not look private."""
    for match in _MANIFEST_VALUE.finditer(text):
        try:
            said = base64.b64decode(match["value"], validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            continue
        if said.isprintable() or "\n" in said:
            yield Span(*match.span("value"), Kind.SECRET)
