r"""The forms of credentials, as their issuers publish them: data, one row each.

A row has the literals of which one stands in every credential of that form, and its pattern. A pattern is compiled and
run only on text that holds such a literal, so a function's cold start compiles none, and a log line without one costs a
few searches for words. Every repetition is of one class, and bounded unless nothing follows it: each pattern takes time
in proportion to the text. `tests/unit/domain/secrets` makes samples of every row, in plain, JSON, URLs and base64.

Not here: what only a name tells (`mask.py`), and ids that are no credentials (Twilio's account, a bucket, an ARN).
Sources: the issuers' documentation, most of it listed at https://docs.github.com/en/code-security/secret-scanning
(read 2026-11).
"""

from typing import Final, NamedTuple


class SecretForm(NamedTuple):
    """One kind of credential: its issuer, literals of which one is in each, and its pattern."""

    name: str
    literals: tuple[str, ...]
    pattern: str


ESCAPED: Final = r"(?<=\\[nrt])|(?<=\\u[0-9A-Fa-f]{4})"
"""Behind a letter that is no word's: it ends a line, or another escape of JSON and Python."""
# Unlike \b, begins after an underscore too: ``x_sk-...``, ``KEY_AKIA...``
_WORD: Final = rf"(?:(?<![A-Za-z0-9])|{ESCAPED})"
_APART: Final = rf"(?:(?<![A-Za-z0-9+/])|{ESCAPED})"  # not in the middle of base64 either
_WHOLE: Final = rf"(?:(?<![A-Za-z0-9_~.-])(?!(?<=\\)[nrt])|{ESCAPED})"  # nor of a word with such signs
_END: Final = r"(?![A-Za-z0-9])"

FORMS: Final = tuple(
    SecretForm(name, tuple(literals.split()), pattern)
    for name, literals, pattern in (
        ("Pentad", "ptd.", rf"{_WORD}ptd\.[a-z0-9-]{{1,40}}\.[A-Za-z0-9_-]{{1,64}}\.[A-Za-z0-9_-]{{8,}}"),
        # Models. A key has a digit; names in style sheets and locales that begin alike have none.
        ("Anthropic, OpenAI and alike", "sk-", rf"{_WORD}sk-(?=[A-Za-z_-]{{0,200}}\d)[A-Za-z0-9_-]{{16,}}"),
        ("Groq", "gsk_", rf"{_WORD}gsk_[A-Za-z0-9]{{40,}}"),
        ("xAI", "xai-", rf"{_WORD}xai-[A-Za-z0-9_-]{{60,}}"),
        ("Perplexity", "pplx-", rf"{_WORD}pplx-[A-Za-z0-9]{{40,}}"),
        ("Hugging Face", "hf_ api_org_", rf"{_WORD}(?:hf|api_org)_[A-Za-z0-9]{{30,}}"),
        ("Replicate", "r8_", rf"{_WORD}r8_[A-Za-z0-9]{{37,}}"),
        ("Pinecone", "pcsk_", rf"{_WORD}pcsk_[A-Za-z0-9_]{{16,}}"),
        ("LangSmith", "lsv2_ ls__", rf"{_WORD}(?:lsv2_(?:pt|sk)_[0-9a-f]{{32}}_[0-9a-f]{{10}}|ls__[0-9a-f]{{32}})"),
        ("Arize", "ak-", rf"{_WORD}ak-[0-9a-f]{{8}}-(?:[0-9a-f]{{4}}-){{3}}[0-9a-f]{{12}}-[A-Za-z0-9_-]{{8,}}"),
        ("Weights & Biases", "wandb_v1_", rf"{_WORD}wandb_v1_[A-Za-z0-9_-]{{30,}}"),
        ("NVIDIA", "nvapi-", rf"{_WORD}nvapi-[A-Za-z0-9_-]{{40,}}"),
        ("Cerebras", "csk-", rf"{_WORD}csk-[a-z0-9]{{40,}}"),
        ("Fireworks", "fw_", rf"{_WORD}fw_[A-Za-z0-9]{{22,}}{_END}"),
        ("Together", "tgp_v1_", rf"{_WORD}tgp_v1_[A-Za-z0-9_-]{{40,}}"),
        ("Jina", "jina_", rf"{_WORD}jina_[A-Za-z0-9_-]{{40,}}"),
        ("Voyage", "pa-", rf"{_WORD}pa-(?=[A-Za-z_-]{{0,42}}\d)[A-Za-z0-9_-]{{43}}(?![A-Za-z0-9_-])"),
        ("Tavily", "tvly-", rf"{_WORD}tvly-[A-Za-z0-9-]{{28,}}"),
        ("Databricks", "dapi", rf"{_WORD}dapi[0-9a-f]{{32}}(?:-\d)?{_END}"),
        # Clouds
        ("AWS key id", "AKIA ASIA ABIA ACCA", rf"{_WORD}(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{{16}}{_END}"),
        (
            "AWS session token",
            "FwoGZXIvYXdz FQoGZXIvYXdz IQoJb3JpZ2luX2Vj AQoDYXdz",
            rf"{_WORD}(?:F[wQ]oGZXIvYXdz|IQoJb3JpZ2luX2Vj|AQoDYXdz)[A-Za-z0-9+/=]{{40,}}",
        ),
        ("Amazon Bedrock", "ABSK bedrock-api-key-", rf"{_WORD}(?:ABSK|bedrock-api-key-)[A-Za-z0-9+/=]{{80,}}"),
        ("Step Functions task token", "AAAAKgAAAAI", rf"{_WORD}AAAAKgAAAAI[A-Za-z0-9+/=]{{60,}}"),
        ("AWS signature", "X-Amz-Signature", r"(?<=X-Amz-Signature=)[0-9a-f]{64}"),
        ("AWS session in an address", "X-Amz-Security-Token", r"(?<=X-Amz-Security-Token=)[A-Za-z0-9%+/=_-]{20,}"),
        ("Google API", "AIza", rf"{_WORD}AIza[A-Za-z0-9_-]{{35}}"),
        ("Google API of Gemini", "AQ.", rf"{_WORD}AQ\.(?=[A-Za-z_-]{{0,60}}\d)[A-Za-z0-9_-]{{36,}}"),
        ("Google OAuth", "ya29.", rf"{_WORD}ya29\.[A-Za-z0-9_-]{{20,}}"),
        ("Google OAuth client", "GOCSPX-", rf"{_WORD}GOCSPX-[A-Za-z0-9_-]{{24,}}"),
        ("Google refresh token", "1//0", rf"{_WORD}1//0[A-Za-z0-9_-]{{40,}}"),
        ("Google signature", "X-Goog-Signature", r"(?<=X-Goog-Signature=)[0-9a-f]{64,}"),
        (
            "Azure AD client",
            "Q~",
            rf"{_WHOLE}[A-Za-z0-9_~.]{{3}}\dQ~[A-Za-z0-9_~.-]{{31,34}}(?![A-Za-z0-9_~-])",
        ),
        ("Azure key", "JQQJ99 JQQJ9D", rf"{_WORD}[A-Za-z0-9]{{52}}JQQJ9[9D][A-Za-z0-9]{{24,26}}{_END}"),
        (
            "Azure storage and alike",
            "+ASt +ABa +AMC +ASb +AEh +ARm",
            rf"{_APART}(?!(?<=\\)[nrt])[A-Za-z0-9/+]{{32,76}}\+A(?:St|Ba|MC|Sb|Eh|Rm)[A-Za-z0-9/+]{{5,6}}={{1,2}}",
        ),
        ("Azure key in a connection string", "AccountKey= SharedAccessKey=", r"(?<=Key=)[A-Za-z0-9/+]{40,86}={0,2}"),
        ("Azure functions", "AzFu", rf"{_WHOLE}[A-Za-z0-9_-]{{44}}AzFu[A-Za-z0-9_-]{{5}}[AQgw]=="),
        ("Azure DevOps", "AZDO", rf"{_WORD}[A-Za-z0-9]{{76}}AZDO[A-Za-z0-9]{{4}}{_END}"),
        ("signature in an address", "sig=", r"(?<=[?&;]sig=)[A-Za-z0-9%+/=_-]{16,}"),
        ("Alibaba Cloud", "LTAI", rf"{_APART}LTAI[A-Za-z0-9]{{20}}{_END}"),
        ("DigitalOcean", "_v1_", rf"{_WORD}do[opr]_v1_[0-9a-f]{{64}}"),
        ("Heroku", "HRKU-", rf"{_WORD}HRKU-[A-Za-z0-9_-]{{36,}}"),
        ("Fly", "fm1 fm2_ fo1_", rf"{_WORD}(?:fm[12][ar]?_|fo1_)[A-Za-z0-9+/=_-]{{40,}}"),
        ("Netlify", "nfp_", rf"{_WORD}nfp_[A-Za-z0-9_]{{36,}}"),
        ("Supabase", "sbp_ sb_secret_", rf"{_WORD}(?:sbp_[0-9a-f]{{40}}|sb_secret_[A-Za-z0-9_-]{{20,}})"),
        ("PlanetScale", "pscale_", rf"{_WORD}pscale_(?:tkn|pw|oauth)_[A-Za-z0-9=._-]{{32,}}"),
        ("Cloudflare origin", "v1.0-", rf"{_WORD}v1\.0-[0-9a-f]{{24}}-[0-9a-f]{{146}}"),
        # Code, packages, builds
        ("GitHub", "ghp_ gho_ ghu_ ghs_ ghr_", rf"{_WORD}gh[pousr]_[A-Za-z0-9]{{20,}}"),
        ("GitHub fine-grained", "github_pat_", rf"{_WORD}github_pat_[A-Za-z0-9_]{{20,}}"),
        (
            "GitLab",
            "glpat- gldt- glrt- glcbt- glptt- glft- glimt- glagent- glsoat- glffct- gloas-",
            rf"{_WORD}gl(?:pat|dt|rt|rtr|cbt|ptt|ft|imt|agent|soat|ffct|oas)-[A-Za-z0-9_.=-]{{16,}}",
        ),
        ("GitLab runner", "GR1348941", rf"{_WORD}GR1348941[A-Za-z0-9_-]{{20,}}"),
        ("Atlassian", "ATATT3 ATCTT3 ATBB", rf"{_WORD}(?:AT[AC]TT3[A-Za-z0-9_=-]{{60,}}|ATBB[A-Za-z0-9]{{28,}})"),
        ("npm", "npm_", rf"{_WORD}npm_[A-Za-z0-9]{{36}}{_END}"),
        ("PyPI", "pypi-", rf"{_WORD}pypi-[A-Za-z0-9_-]{{60,}}"),
        ("RubyGems", "rubygems_", rf"{_WORD}rubygems_[0-9a-f]{{48}}"),
        ("crates.io", "cio", rf"{_APART}cio[A-Za-z0-9]{{32}}{_END}"),
        ("NuGet", "oy2", rf"{_APART}oy2[a-z0-9]{{43}}{_END}"),
        ("Clojars", "CLOJARS_", rf"{_WORD}CLOJARS_[0-9a-f]{{60}}"),
        ("Docker", "dckr_", rf"{_WORD}dckr_(?:pat|oat)_[A-Za-z0-9_-]{{24,}}"),
        ("Artifactory", "AKCp cmVmdGtu", rf"{_APART}(?:AKCp[A-Za-z0-9]{{60,}}|cmVmdGtu[A-Za-z0-9]{{50,}})"),
        ("Sonar", "sqp_ squ_ sqa_", rf"{_WORD}sq[pua]_[0-9a-f]{{40}}"),
        ("Buildkite", "bkua_ bkct_", rf"{_WORD}bk(?:ua|ct)_[0-9a-f]{{40}}"),
        ("CircleCI", "CCIPAT_ CCIPRJ_", rf"{_WORD}CCIP(?:AT|RJ)_[A-Za-z0-9_]{{40,}}"),
        ("Terraform Cloud", ".atlasv1.", rf"{_WORD}[A-Za-z0-9]{{14}}\.atlasv1\.[A-Za-z0-9_=-]{{60,}}"),
        ("Pulumi", "pul-", rf"{_WORD}pul-[0-9a-f]{{40}}"),
        ("Vault", "hvs. hvb. hvr.", rf"{_WORD}hv[sbr]\.[A-Za-z0-9_-]{{24,}}"),
        ("Doppler", "dp.", rf"{_WORD}dp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9_.-]{{40,}}"),
        (
            "1Password",
            "ops_eyJ A3-",
            rf"{_WORD}(?:ops_eyJ[A-Za-z0-9+/=_-]{{100,}}|A3-[A-Z0-9]{{6}}-[A-Z0-9]{{6,11}}-[A-Z0-9-]{{17,23}})",
        ),
        ("age", "AGE-SECRET-KEY-1", rf"{_WORD}AGE-SECRET-KEY-1[A-Z0-9]{{58}}"),
        # Talk and mail
        ("Slack", "xox xapp-", rf"{_WORD}(?:xox[abceoprs]|xapp)-[A-Za-z0-9-]{{10,}}"),
        ("Slack refresh token", "xoxe.", rf"{_WORD}xoxe\.[A-Za-z0-9.-]{{10,}}"),
        (
            "Slack webhook",
            "hooks.slack.com",
            r"(?<=hooks\.slack\.com/)(?:services|workflows|triggers)/[A-Za-z0-9/_-]{10,}",
        ),
        (
            "Discord bot",
            ".",
            rf"{_WHOLE}[MNO][A-Za-z0-9_-]{{23,26}}\.[A-Za-z0-9_-]{{6}}\.[A-Za-z0-9_-]{{27,38}}(?![A-Za-z0-9_.-])",
        ),
        ("Discord webhook", "/api/webhooks/", r"(?<=/api/webhooks/)\d{15,20}/[A-Za-z0-9_-]{40,}"),
        ("Teams webhook", "webhook.office.com", r"(?<=webhook\.office\.com/)webhookb2/[A-Za-z0-9@/_-]{20,}"),
        ("Telegram", ":AA", rf"(?:{_WORD}|(?<=/bot))\d{{8,10}}:AA[A-Za-z0-9_-]{{32,33}}(?![A-Za-z0-9_-])"),
        ("SendGrid", "SG.", rf"{_WORD}SG\.[A-Za-z0-9_-]{{16,32}}\.[A-Za-z0-9_-]{{16,64}}"),
        ("Mailgun", "key-", rf"{_WORD}key-[0-9a-f]{{32}}{_END}"),
        ("Mailchimp", "-us", rf"{_WORD}[0-9a-f]{{32}}-us\d{{1,2}}{_END}"),
        ("Brevo", "xkeysib- xsmtpsib-", rf"{_WORD}x(?:key|smtp)sib-[0-9a-f]{{64}}-[A-Za-z0-9]{{16}}"),
        ("Resend", "re_", rf"{_WORD}re_[A-Za-z0-9]{{8}}_[A-Za-z0-9]{{24}}{_END}"),
        ("Twilio", "SK", rf"{_WORD}SK[0-9a-f]{{32}}{_END}"),
        # Money
        ("Stripe", "sk_ rk_", rf"{_WORD}[rs]k_(?:live|test|prod)_[A-Za-z0-9]{{16,}}"),
        ("Stripe webhook", "whsec_", rf"{_WORD}whsec_[A-Za-z0-9+/=]{{24,}}"),
        ("Square", "sq0 EAAA", rf"{_APART}(?:sq0(?:atp|csp|idp)-[A-Za-z0-9_-]{{22,}}|EAAA[A-Za-z0-9_-]{{60}}{_END})"),
        ("Shopify", "shpat_ shpca_ shppa_ shpss_", rf"{_WORD}shp(?:at|ca|pa|ss)_[0-9a-fA-F]{{32}}"),
        ("PayPal", "access_token$", r"access_token\$(?:production|sandbox)\$[0-9a-z]{16}\$[0-9a-f]{32}"),
        ("Plaid", "access-", rf"{_WORD}access-(?:sandbox|development|production)-[0-9a-f-]{{36}}"),
        ("EasyPost", "EZAK EZTK", rf"{_APART}EZ[AT]K[A-Za-z0-9]{{54}}"),
        ("Shippo", "shippo_", rf"{_WORD}shippo_(?:live|test)_[0-9a-f]{{40}}"),
        # Work and watching
        ("Notion", "ntn_ secret_", rf"{_WORD}(?:ntn_[A-Za-z0-9]{{40,}}|secret_[A-Za-z0-9]{{43}}{_END})"),
        ("Linear", "lin_", rf"{_WORD}lin_(?:api|oauth)_[A-Za-z0-9]{{32,}}"),
        ("Airtable", "pat", rf"{_WORD}pat[A-Za-z0-9]{{14}}\.[0-9a-f]{{64}}"),
        ("Figma", "figd_ figo figu_", rf"{_WORD}fig(?:d|u|o[rh]?)_[A-Za-z0-9_-]{{36,}}"),
        ("Postman", "PMAK-", rf"{_WORD}PMAK-[0-9a-f]{{24}}-[0-9a-f]{{34}}"),
        ("Grafana", "glsa_ glc_", rf"{_WORD}(?:glsa_[A-Za-z0-9]{{32}}_[0-9a-f]{{8}}|glc_[A-Za-z0-9+/=]{{32,}})"),
        ("New Relic", "NRAK- NRII- NRJS-", rf"{_WORD}NR(?:AK|II|JS)-[A-Za-z0-9-]{{19,40}}"),
        ("Sentry", "sntrys_ sntryu_", rf"{_WORD}sntry[su]_[A-Za-z0-9+/=_-]{{48,}}"),
        ("Dynatrace", "dt0", rf"{_WORD}dt0[a-zA-Z]\d{{2}}\.[A-Z0-9]{{24}}\.[A-Z0-9]{{64}}"),
        ("Meta", "EAA", rf"{_APART}EAA[A-Za-z0-9]{{90,}}"),
        # Whatever the issuer
        ("JSON Web Token", "eyJ", rf"{_WORD}eyJ[A-Za-z0-9_-]{{8,}}\.[A-Za-z0-9_-]{{8,}}\.[A-Za-z0-9_-]*"),
        ("PuTTY", "Private-Lines:", r"(?<=Private-Lines: )\d{1,3}(?:(?:\s|\\[nrt]){1,4}[A-Za-z0-9+/=]{16,}){1,100}"),
        (
            "private key",
            "PRIVATE",
            r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----(?:\s|\\{1,8}[nrt]){0,8}"
            r"(?:[A-Za-z-]{2,30}:[^\n\\]{0,200}(?:\s|\\{1,8}[nrt]){1,8}){0,6}"
            r"[A-Za-z0-9+/=]{16,}(?:(?:\s|\\{1,8}[nrt]){1,4}[A-Za-z0-9+/=]{16,}){0,400}"
            r"(?:(?:\s|\\{1,8}[nrt]){0,4}[A-Za-z0-9+/=]{0,15}(?:\s|\\{1,8}[nrt]){0,4}"
            r"-----END [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----)?",
        ),
    )
)
"""Every form, by issuer."""
