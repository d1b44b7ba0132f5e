"""What stands as data behind a secret's name is masked in texts of any form, and prose and code stay."""

import pytest

from pentad.domain.secrets import MASK, mask_named, mask_secrets


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ('{"password": "hunter", "pin": 1234}', '{"password": "*", "pin": 1234}'),
        ('{"password": 1234, "n": 1}', '{"password": "*", "n": 1}'),
        ('{"password": "a\\"b", "n": 1}', '{"password": "*", "n": 1}'),
        ('{"API Key": "abc"}', '{"API Key": "*"}'),
        ('{"apiKeys": ["a", {"b": 1, "c": null}], "n": 2}', '{"apiKeys": ["*", {"b": "*", "c": null}], "n": 2}'),
        ('{"password": "x y"}\n{"password": "z"}\n', '{"password": "*"}\n{"password": "*"}\n'),
        ('Or {"secret": {"user": "ada", "n": [1, "x"]}} so', 'Or {"secret": {"user": "*", "n": ["*", "*"]}} so'),
        ("{'password': 'hun\"ter', 'x': None}", "{'password': '*', 'x': None}"),
        (r'{"body": "{\"password\": \"hunter\", \"pwd\": 7}"}', r'{"body": "{\"password\": \"*\", \"pwd\": \"*\"}"}'),
        (r'{"body": "{\"password\": \"a\\\"b\"}"}', r'{"body": "{\"password\": \"*\"}"}'),
        ('{"cookie": "chocolate", "authorization": {"password": "hunter", "state": "approved"}}',
         '{"cookie": "chocolate", "authorization": {"password": "*", "state": "approved"}}'),
        ('{"n": 1, "password": "hunt', '{"n": 1, "password": "*'),
        ('{"secret": {"user": "ada", "n": [1, nu', '{"secret": {"user": "*", "n": ["*", nu'),
    ],
)  # fmt: skip
def test_in_json_every_value_is_masked_also_among_prose_cut_and_within_a_string(text: str, masked: str) -> None:
    assert mask_secrets(text) == masked.replace("*", MASK)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("password=hunter&user=a", "password=*&user=a"),
        ("user=a&password=hunter", "user=a&password=*"),
        ("see https://a.example/?api_key=abc&x=1#f", "see https://a.example/?api_key=*&x=1#f"),
        ('<a href="/x?password=hunter&amp;a=1">', '<a href="/x?password=*&amp;a=1">'),
        ("host=db user=a password=hunter", "host=db user=a password=*"),
        ("Server=db;Uid=a;Pwd=hunter;", "Server=db;Uid=a;Pwd=*;"),
        ("PASSWORD=hunter", "PASSWORD=*"),
        ("export API_KEY=abc\n", "export API_KEY=*\n"),
        ("[db]\nuser = a\npassword = hunter\n", "[db]\nuser = a\npassword = *\n"),
        ("db:\n  password: hunter2\n", "db:\n  password: *\n"),
        ("user: ada\npassword: hunter\n", "user: ada\npassword: *\n"),
        ('  password: "two words"', '  password: "*"'),
        ("HTTP/1.1 200 OK\r\nX-Api-Key: abc\r\nHost: b", "HTTP/1.1 200 OK\r\nX-Api-Key: *\r\nHost: b"),
        ('curl -H "X-Api-Key: abc" a.example', 'curl -H "X-Api-Key: *" a.example'),
        ("> Authorization: Bearer abc", "> Authorization: Bearer *"),
        ("Cookie: a=b; c=d", "Cookie: a=*"),
    ],
)
def test_in_forms_settings_and_headers_a_value_is_masked(text: str, masked: str) -> None:
    assert mask_secrets(text) == masked.replace("*", MASK)


@pytest.mark.parametrize(
    "text",
    [
        "the password: see the manual",
        "password: see the manual",
        "user: the name\npassword: see the manual",
        "password: str",
        "class A:\n    user: str\n    password: str",
        "name: str\npassword: Optional[str]\n",
        "password: required",
        "password: hunter",  # one line alone: as likely prose
        "    password=password,",
        "connect(password=given, user=x)",
        "password = getpass()",
        'SECRET = "what was said"',
        "PWD=/home/ada",
        "password=${DB_PASSWORD}\napi_key=<your key>",
        '`{"password": "...", "api_key": "YOUR_KEY", "secret": "$SECRET"}`',
        'headers = {"Authorization": "Basic " + encoded}',
        '{"password": }',
        '{"properties": {"password": {"type": "string", "minLength": 3}}}',
        '{"key": "a", "token_count": 3, "secrets_of_success": "work"}',
        "X-Api-Key: <key>",
        "| password | hunter |",
    ],
)
def test_prose_code_schemas_and_what_stands_in_for_a_value_stay(text: str) -> None:
    assert mask_secrets(text) == text


def test_what_is_safe_stays_with_all_that_is_below_it() -> None:
    text = '{"password": "hunter", "link": {"password": [1]}, "secret": {"version": 3, "value": 7}}'
    assert mask_named(text, {"password", "link", "version"}) == text.replace("7", f'"{MASK}"')
    assert mask_named("pwd=hunter&password=hunter", {"pwd"}) == f"pwd=hunter&password={MASK}"


def test_a_text_whose_small_letters_are_more_is_masked_all_the_same() -> None:
    assert mask_named('İ {"password": "hunter"}') == f'İ {{"password": "{MASK}"}}'


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "part",
    [
        '"password": {',
        '"password": [',
        '"password": "',
        "'password': \"a",
        '\\"password\\": \\"a',
        '\\\\\\"password\\\\\\": \\\\\\"',
        '"secret":{"a":',
        '"password": {"type":',
        '"password": [1,1,1,1,x',
        "password",
        "password=",
        "&password=",
        "password=a&",
        "password: a1\n",
        "password: ",
        "X-Api-Key: ",
        "cookie: a",
        "\\",
    ],
)
@pytest.mark.parametrize("end", ["", "x", '"'])
def test_hostile_text_takes_time_in_proportion(part: str, end: str) -> None:
    """A part that is looked at again for each before it would take minutes: the time limit tells."""
    text = part * (300_000 // len(part)) + end
    assert len(mask_named(text)) >= len(text) // 2


@pytest.mark.timeout(30)
@pytest.mark.parametrize("text", ['"password":' + " " * 300_000, '"password": "a' + "\\" * 300_000, "a: 1\n" * 60_000])
def test_long_runs_take_time_in_proportion(text: str) -> None:
    assert mask_named(text + '\npassword: "x') == text + '\npassword: "x'
    assert mask_named(text + '\n{"password": "hunter2"}') == text + '\n{"password": "[masked]"}'
