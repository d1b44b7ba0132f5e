"""Credentials: API keys, JSON Web Tokens, and what the authorizer answers."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from pentad.api.identity.adapters.keys_memory import MemoryKeys
from pentad.api.identity.adapters.oidc import OidcVerifier
from pentad.api.identity.api_key import ApiKey
from pentad.api.identity.authorize import Authorize
from pentad.api.identity.caller import Caller
from pentad.api.identity.keys import KeyAuthenticator, create_key, list_keys, revoke_key
from pentad.api.identity.tokens import JwtAuthenticator
from pentad.domain.errors import ConfigurationError, InvalidInput, NotAuthenticated, NotFound, StoreUnavailable
from tests.unit.orchestration.world import START, TENANT, Clock

ISSUER = "https://issuer.example"
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())


def _keys(**values: Any) -> tuple[MemoryKeys, str, Clock]:
    store = MemoryKeys()
    _, token = create_key(store, TENANT, now=START, **values)
    return store, token, Clock()


def test_a_key_names_its_tenant_scopes_and_user() -> None:
    store, token, clock = _keys(user_id="ann", scopes=["runs:read"])
    caller = KeyAuthenticator(store, now=clock)(token)
    assert (caller.tenant_id, caller.user_id, caller.scopes) == (TENANT, "ann", frozenset({"runs:read"}))


def test_a_key_reads_runs_and_no_more_where_no_scopes_are_named() -> None:
    store, token, clock = _keys()
    assert KeyAuthenticator(store, now=clock)(token).scopes == {"runs:read"}


@pytest.mark.parametrize(
    ("groups", "may", "said"),
    [
        ((), frozenset(), ""),
        (("leads", "clerks"), frozenset({"leads", "clerks"}), "clerks leads"),
        (("*",), None, "*"),
    ],
)
def test_a_key_decides_for_the_groups_that_it_names(
    groups: tuple[str, ...], may: frozenset[str] | None, said: str
) -> None:
    store, token, clock = _keys(groups=groups)
    assert KeyAuthenticator(store, now=clock)(token).groups == may
    answer = Authorize(KeyAuthenticator(store, now=clock))({"headers": {"Authorization": f"Bearer {token}"}})
    assert answer["context"]["groups"] == said
    assert Caller.from_event({"requestContext": {"authorizer": {"lambda": answer["context"]}}}).groups == may


def test_a_key_of_an_earlier_version_without_groups_decides_for_none() -> None:
    store, token, clock = _keys()
    [key] = list_keys(store, TENANT)
    stored = json.loads(key.model_dump_json(exclude={"owner", "groups"}))
    older = MemoryKeys()
    older.put(ApiKey.model_validate(stored))
    caller = KeyAuthenticator(older, now=clock)(token)
    assert (caller.groups, caller.person) == (frozenset(), "unknown")


def test_an_authorizer_that_says_nothing_of_groups_gives_none() -> None:
    event = {"requestContext": {"authorizer": {"lambda": {"tenant": TENANT, "key_id": "k", "scopes": ""}}}}
    assert Caller.from_event(event).groups == frozenset()


@pytest.mark.parametrize(
    ("values", "person"),
    [
        ({"user_id": "ann"}, "ann"),
        ({"user_id": "ann", "owner": "bob"}, "ann"),
        ({"owner": "ann"}, "ann"),
        ({"owner": "arn:aws:sts::1:assumed-role/Ops/bob"}, "arn:aws:sts::1:assumed-role/Ops/bob"),
        ({}, "unknown"),
    ],
)
def test_a_key_is_its_users_or_its_owners(values: dict[str, Any], person: str) -> None:
    store, token, clock = _keys(**values)
    answer = Authorize(KeyAuthenticator(store, now=clock))({"headers": {"Authorization": f"Bearer {token}"}})
    request = {"authorizer": {"lambda": answer["context"]}, "http": {"sourceIp": "192.0.2.7"}}
    caller = Caller.from_event({"requestContext": request})
    assert (caller.person, caller.source_ip) == (person, "192.0.2.7")


@pytest.mark.parametrize(
    ("claims", "groups"),
    [
        ({}, frozenset()),
        ({"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": "https://x"}}}, frozenset()),
        ({"groups": {"leads": True}}, frozenset()),
        ({"groups": "*"}, frozenset()),
        ({"groups": ["*", "leads"]}, frozenset({"leads"})),
        ({"hasgroups": True}, frozenset()),
        ({"groups": ["leads", "Domain Users", 3]}, frozenset({"leads"})),
        ({"groups": "leads clerks"}, frozenset({"leads", "clerks"})),
        ({"groups": []}, frozenset()),
        ({"groups": None}, frozenset()),
    ],
)
def test_a_token_decides_for_the_groups_of_its_claim_and_no_others(
    claims: dict[str, Any], groups: frozenset[str]
) -> None:
    assert _authenticator()(_token(**claims)).groups == groups


def test_the_secret_is_not_stored() -> None:
    store, token, _ = _keys()
    secret = token.rsplit(".", 1)[1]
    [key] = list_keys(store, TENANT)
    assert secret not in key.model_dump_json()
    assert key.secret_hash not in repr(key)


def test_two_keys_differ() -> None:
    assert _keys()[1] != _keys()[1]


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"),
        lambda token: token.replace(".acme.", ".other."),
        lambda token: token + "x",
        lambda token: token + "\n",
        lambda token: token.replace("ptd.", "ptd..", 1),
        lambda token: "ptd.acme..",
        lambda token: "ptd.acme#x.000000000000." + "a" * 43,
        lambda token: "ptd.acme.000000000000." + "a" * 43,
        lambda token: "ptd." + "a" * 10_000,
        lambda token: "",
    ],
)
def test_a_wrong_key_is_not_authenticated(change: Any) -> None:
    store, token, clock = _keys()
    with pytest.raises(NotAuthenticated):
        KeyAuthenticator(store, now=clock)(change(token))


def test_a_revoked_key_is_not_authenticated() -> None:
    store, token, clock = _keys()
    [key] = list_keys(store, TENANT)
    first = revoke_key(store, TENANT, key.key_id, now=clock())
    clock.advance(1)
    assert revoke_key(store, TENANT, key.key_id, now=clock()) == first
    with pytest.raises(NotAuthenticated):
        KeyAuthenticator(store, now=clock)(token)


def test_an_expired_key_is_not_authenticated() -> None:
    store, token, clock = _keys(expires_at=START + timedelta(seconds=10))
    KeyAuthenticator(store, now=clock)(token)
    clock.advance(10)
    with pytest.raises(NotAuthenticated):
        KeyAuthenticator(store, now=clock)(token)


def test_an_unknown_key_can_not_be_revoked() -> None:
    with pytest.raises(NotFound):
        revoke_key(MemoryKeys(), TENANT, "000000000000", now=START)


@pytest.mark.parametrize(
    "values",
    [
        {"scopes": ["everything"]},
        {"scopes": []},
        {"user_id": "a b"},
        {"groups": ["A B"]},
        {"groups": ["*", "leads"]},
        {"owner": ""},
    ],
)
def test_a_key_is_made_of_known_things(values: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        create_key(MemoryKeys(), TENANT, now=START, **values)


def test_a_key_needs_a_tenant_that_is_well_formed() -> None:
    with pytest.raises(InvalidInput):
        create_key(MemoryKeys(), "A#B", now=START)


class _Signing:
    """The issuer's keys, by the key id in a token's header."""

    def __init__(self) -> None:
        self.public = {"rsa": RSA.public_key(), "ec": EC.public_key()}

    def get_signing_key_from_jwt(self, token: str) -> Any:
        kid = jwt.get_unverified_header(token).get("kid")
        if kid not in self.public:
            raise jwt.PyJWKClientError("no such key")
        return type("Key", (), {"key": self.public[kid]})


def _discovery(_: str) -> dict[str, Any]:
    return {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"}


def _authenticator(fetch: Any = _discovery, **values: Any) -> JwtAuthenticator:
    verifier = OidcVerifier(ISSUER, "pentad", fetch=fetch, keys=lambda address: _Signing())
    return JwtAuthenticator(verifier, issuer=ISSUER, **values)


def _token(key: Any = RSA, algorithm: str = "RS256", kid: str = "rsa", **claims: Any) -> str:
    now = datetime.now(UTC)
    standard = {
        "iss": ISSUER,
        "aud": "pentad",
        "sub": "ann",
        "exp": now + timedelta(minutes=5),
        "tenant": TENANT,
        "scope": "runs:read runs:write admin",
    }
    payload = {name: value for name, value in (standard | claims).items() if value is not None}
    return jwt.encode(payload, key, algorithm=algorithm, headers={"kid": kid})


@pytest.mark.parametrize(("key", "algorithm", "kid"), [(RSA, "RS256", "rsa"), (EC, "ES256", "ec")])
def test_a_token_of_the_issuer_names_tenant_user_and_known_scopes(key: Any, algorithm: str, kid: str) -> None:
    caller = _authenticator()(_token(key, algorithm, kid))
    assert (caller.tenant_id, caller.user_id, caller.scopes) == (TENANT, "ann", frozenset({"runs:read", "runs:write"}))


def test_scopes_may_be_a_list_under_another_claim() -> None:
    authenticator = _authenticator(scope_claim="permissions", tenant_claim="org")
    caller = authenticator(_token(permissions=["runs:read", 3], org="other"))
    assert (caller.tenant_id, caller.scopes) == ("other", frozenset({"runs:read"}))


def test_a_subject_that_is_no_user_id_gets_one() -> None:
    first, second = (_authenticator()(_token(sub="auth0|x#y")) for _ in range(2))
    assert first.user_id == second.user_id
    assert "#" not in (first.user_id or "")


def test_a_subject_that_reads_like_an_id_made_for_another_is_not_taken_for_it() -> None:
    made = _authenticator()(_token(sub="auth0|x#y")).user_id
    assert made is not None
    assert _authenticator()(_token(sub=made)).user_id != made


@pytest.mark.parametrize(
    "token",
    [
        _token(OTHER_RSA),
        _token(kid="unknown"),
        _token(aud="other"),
        _token(iss="https://evil.example"),
        _token(exp=datetime.now(UTC) - timedelta(minutes=5)),
        _token(exp=None),
        _token(sub=None),
        _token(tenant=None),
        _token(tenant="A#B"),
        _token(tenant=3),
        _token("x" * 32, "HS256"),
        _token(None, "none"),
        "a.b.c",
        "nonsense",
    ],
    ids="signature kid audience issuer expired no-exp no-sub no-tenant bad-tenant number hs256 none form text".split(),
)
def test_a_wrong_token_is_not_authenticated(token: str) -> None:
    with pytest.raises(NotAuthenticated):
        _authenticator()(token)


def test_a_discovery_document_of_another_issuer_is_refused() -> None:
    def fetch(_: str) -> dict[str, Any]:
        return {"issuer": "https://evil.example", "jwks_uri": f"{ISSUER}/keys"}

    with pytest.raises(ConfigurationError):
        _authenticator(fetch)(_token())


def test_keys_over_plain_http_are_refused() -> None:
    def fetch(_: str) -> dict[str, Any]:
        return {"issuer": ISSUER, "jwks_uri": "http://issuer.example/keys"}

    with pytest.raises(ConfigurationError):
        _authenticator(fetch)(_token())


def test_an_issuer_that_does_not_answer_is_no_wrong_credential() -> None:
    def fetch(_: str) -> dict[str, Any]:
        raise TimeoutError

    with pytest.raises(StoreUnavailable):
        _authenticator(fetch)(_token())


def test_an_issuer_is_https() -> None:
    with pytest.raises(ConfigurationError):
        OidcVerifier("http://issuer.example", "pentad")


def test_the_discovery_is_asked_once() -> None:
    asked: list[str] = []

    def fetch(address: str) -> dict[str, Any]:
        asked.append(address)
        return _discovery(address)

    authenticator = _authenticator(fetch)
    for _ in range(2):
        authenticator(_token())
    assert asked == [f"{ISSUER}/.well-known/openid-configuration"]


def test_the_authorizer_answers_in_the_simple_format() -> None:
    store, token, clock = _keys(user_id="ann")
    answer = Authorize(KeyAuthenticator(store, now=clock))({"headers": {"Authorization": f"bearer {token}"}})
    assert answer["isAuthorized"] is True
    assert all(isinstance(value, str) for value in answer["context"].values())
    assert answer["context"]["user"] == "ann"


@pytest.mark.parametrize(
    "headers", [None, {}, {"authorization": ""}, {"authorization": "Basic abc"}, {"authorization": "Bearer "}]
)
def test_a_request_without_a_bearer_token_is_not_authenticated(headers: Any) -> None:
    store, _, clock = _keys()
    with pytest.raises(NotAuthenticated):
        Authorize(KeyAuthenticator(store, now=clock))({"headers": headers})


def test_a_token_is_refused_where_no_issuer_is_configured() -> None:
    store, _, clock = _keys()
    with pytest.raises(NotAuthenticated):
        Authorize(KeyAuthenticator(store, now=clock))({"headers": {"authorization": f"Bearer {_token()}"}})


def test_a_token_is_accepted_where_an_issuer_is() -> None:
    store, _, clock = _keys()
    authorize = Authorize(KeyAuthenticator(store, now=clock), _authenticator())
    assert authorize({"headers": {"authorization": f"Bearer {_token()}"}})["context"]["tenant"] == TENANT
