"""What of an exception's words, which nobody wrote for a model, stays inside."""

import pytest

from pentad.domain.errors import ToolFailed
from pentad.tools.results.raised import keep_inside
from pentad.tools.runtime.outcome import ToolOutcome


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("see file:///var/task/a/b.py", "see b.py"),
        ("see file:/var/task/a/b.py:12", "see b.py:12"),
        ("No such file: '/home/bob/My Project/x.py'", "No such file: 'x.py'"),
        ('File "/home/bob/My Project/x y.py", line 3', 'File "x y.py", line 3'),
        ("at /home/bob/My Project/x.py", "at ~/My x.py"),
        ("no folder /home/bob/work", "no folder ~/work"),
        ("functions/tools/_data/rates.csv is empty", "rates.csv is empty"),
        ("./functions/tools/a.py, helpers/deep/b.py.", "a.py, b.py."),
        (r"at C:\Users\me\proj\x.py", "at x.py"),
        (r"'C:\\Users\\me\\proj\\x.py'", "'x.py'"),
        (r"'C:\Users\me\My Project\x.csv'", "'x.csv'"),
        ("C:/Users/me/x.csv", "x.csv"),
        (r"on \\files\share\deep\x.csv", "on x.csv"),
        ("error:/var/task/a/b.py", "error:b.py"),
        ("login failed: password=abc", "login failed: password=[masked]"),
        ("Server=db1;PWD='abc';token=x", "Server=db1;PWD='[masked]';token=[masked]"),
        ('connection to server at "10.0.3.7", port 5432 failed', 'connection to server at "[host]", port 5432 failed'),
        ("Connect call failed ('192.168.1.20', 5432)", "Connect call failed ('[host]', 5432)"),
        ("refused by 172.20.0.4:6379.", "refused by [host]:6379."),
        ("refused by fd12:3456::1", "refused by [host]"),
        ('could not translate host name "db-prod" to address', 'could not translate host name "[host]" to address'),
        ("Can't connect to MySQL server on 'db.x.example' (111)", "Can't connect to MySQL server on '[host]' (111)"),
        ("HTTPSConnectionPool(host='billing', port=443)", "HTTPSConnectionPool(host='[host]', port=443)"),
        ("Error 111 connecting to redis-prod:6379.", "Error 111 connecting to [host]:6379."),
        ("Failed to resolve 'db-prod' ([Errno -2])", "Failed to resolve '[host]' ([Errno -2])"),
        ("host=db1 port=5432 dbname=x", "host=[host] port=5432 dbname=x"),
        ("mongo-0:27017: [Errno 111] Connection refused", "[host]:27017: [Errno 111] Connection refused"),
        ("ip-10-0-3-7.eu-west-1.compute.internal is down", "[host] is down"),
        ("main.cluster-x.eu-west-1.rds.amazonaws.com: timeout", "[host]: timeout"),
    ],
)
def test_folders_hosts_and_secrets_stay_inside(words: str, told: str) -> None:
    assert keep_inside(words) == told
    assert ToolOutcome.from_error(OSError(words)).text == f"OSError: {told}"
    if "[masked]" not in told:  # a tool's own words were written for the model
        assert ToolOutcome.from_error(ToolFailed(words)).text == f"ToolFailed: {words}"


@pytest.mark.parametrize(
    "words",
    [
        "see https://a.example/b/c.html, http://a.example/home/bob/x.py",
        "GET /v1/orders and /Users/42 failed",
        "no file reports/weekly/x.csv",
        "HTTP/1.1 404, 3/4.5, application/vnd.api+json",
        "password is wrong, token: expected, password=None, got an unexpected keyword argument 'password'",
        "can't resolve 'schema', nor connect a host",
        "version 10.0.19041.1, 8.8.8.8, 1.2.3",
        "module 'threading.local' has no part 'internal'",
        r"bad escape \d+\.\w at 3",
        "the server at noon, a host of problems",
        "line 1\\nline 2.",
    ],
)
def test_what_says_nothing_of_the_inside_stays(words: str) -> None:
    assert keep_inside(words) == words


@pytest.mark.parametrize(
    "part", ["-/", "/a", "a/", "\\", "'/ ", "C:\\", "file:/", "a.", "host=", "10.", "~", "fd12:", "/home/"]
)
def test_long_words_are_read_in_bounds(part: str) -> None:
    words = part * (200_000 // len(part))
    assert len(keep_inside(words)) <= len(words) * 2
