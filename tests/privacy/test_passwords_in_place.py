from __future__ import annotations

import json

import pytest

from hybridchat.privacy.redaction import Redactor

PLACES = [
    "docker login -u kim -p {} registry.example.org", "sshpass -p '{}' ssh kim@h", "sshpass -p{} ssh kim@h",
    "mongosh -u kim -p {} --quiet", "sqlcmd -S h -U sa -P {} -i x.sql", "ldapwhoami -x -D cn=kim -w {}",
    "zip -P {} a.zip b", "7z x a.7z -p{}", "redis-cli -h h -a {} ping", "curl -s -ukim:{} https://h.example",
    "htpasswd -cb .htpasswd kim {}", "smbclient //h/share -U kim%{}", "net use Z: \\\\h\\s /user:kim {}",
    "echo 'kim:{}' | sudo chpasswd", "echo {} | sudo -S reboot", "rabbitmqctl change_password kim {}",
    "snmpget -v3 -u kim -A {} h", "snmp-server community {} RO", "jdbc:oracle:thin:kim/{}@//h:1521/x",
    "CREATE USER kim IDENTIFIED BY '{}';", "alter user kim identified with mysql_native_password by '{}';",
    "ALTER USER kim WITH PASSWORD '{}';", "create login kim with password = N'{}'", "SET PASSWORD = PASSWORD('{}');",
    'requests.get(u, auth=("kim", "{}"))', 'HTTPBasicAuth(user, "{}")', 'getConnection(url, "kim", "{}")',
    "DBI->connect($dsn, 'kim', '{}')", "new PDO($dsn, 'kim', '{}')", 'ConvertTo-SecureString "{}" -AsPlainText',
    '<input type="password" name="x" value="{}">', 'std::string password{{"{}"}};', "**Password:** {}",
    "credentials: kim / {}", "Zugangsdaten: kim / {}", "log in as kim with {}", "username kim password 7 {}",
    "pw: {}", "PW = {}", "the root pw on that box is {}", 'Password for kim is "{}"', "with password {} it fails",
    "I changed the password from {} to another", "password:\n  {}", "Passwort\n{}", "A senha é {}", "WPA2 key: {}",
    "user,password,age\nkim,{},7\n", "| who | Passwort |\n|---|---|\n| kim | {} |\n", "name;mail;pwd\nkim;a;{}",
    "name\ttoken\nkim\t{}", "INSERT INTO u (name, password) VALUES ('kim', '{}');",
    "insert into u (name, pwd) values ('x', 'a9bcdef'), ('kim', '{}')",
]  # fmt: skip
PLAIN = [
    "The password is checked by sha256 before login.", "docker run -p 8080:80 nginx", "ssh -p 2222 kim@h",
    "def password(self, value2): return password_hash(value)", "unzip -p archive.zip file1.txt | less",
    "password = getpass('Password: ')", "credentials: see RFC 7617", "name,password\nstr,None\n", "zip -r a.zip b",
    "auth=(user, password)", 'auth=("user", os.environ["PW"])', "echo $PW | sudo -S ls", "login and version 3.11",
    "| column | address |\n|---|---|\n| a | b |", "sshpass -p $PASSWORD ssh h", "identified by '${PASSWORD}'",
    "password for the first time was 8 letters", 'password("Enter it")', "curl -us-ascii https://x.example",
]  # fmt: skip
COLUMNS = [
    ("name,dob,phone\nKim,1979-11-30,555 0199 12\n", ["1979-11-30", "555 0199 12"]),
    ("| name | born | ssn |\n|:--|--:|---|\n| Kim | 30.11.79 | 078051120 |", ["30.11.79", "078051120"]),
    ("id\tlat\tlon\n1\t47.37\t8.54", ["47.37", "8.54"]),
]


@pytest.mark.parametrize("password", ["Quokka-88!tea", "marmot_Lamp_31"])
@pytest.mark.parametrize("place", PLACES)
def test_a_password_is_found_where_a_command_a_statement_a_sentence_or_a_column_puts_it(
    place: str, password: str
) -> None:
    text = place.format(password)
    redactor = Redactor()
    redacted = redactor.redact(text).text
    assert password not in redacted
    assert redactor.restore(redacted) == text


@pytest.mark.parametrize("text", PLAIN)
def test_what_only_resembles_the_place_of_a_password_is_left_alone(text: str) -> None:
    assert Redactor().redact(text).text == text


@pytest.mark.parametrize(("table", "values"), COLUMNS)
def test_a_column_is_private_for_its_head(table: str, values: list[str]) -> None:
    redacted = Redactor().redact(table).text
    assert [value for value in values if value in redacted] == []


@pytest.mark.timeout(20)  # quadratic time would take minutes
@pytest.mark.parametrize(
    "piece",
    ["password,a\n", "password,\nb,c\n", "insert into a (password) values ('a'),", "('a'),", "docker login ",
     "mongo -p ", "htpasswd -b - - ", "echo a | sudo ", "auth=('a', ", "password for a is ",
     "credentials a ", "net use "],
)  # fmt: skip
def test_100_kb_of_what_resembles_them_are_searched_in_linear_time(piece: str) -> None:
    Redactor().redact((piece * (1 + 100_000 // len(piece)))[:100_000])


def test_a_number_far_indented_in_json_stays_a_number() -> None:
    text = json.dumps([[[[[[[[[[[[4111111111111111]]]]]]]]]]]], indent=4)
    redacted = Redactor().redact(text).text
    assert "4111111111111111" not in redacted
    assert json.loads(redacted)
