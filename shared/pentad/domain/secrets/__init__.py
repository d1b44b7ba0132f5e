"""What a secret looks like in text, and how it is masked: one table for logs, tool results and recordings."""

from pentad.domain.secrets.known import KNOWN as KNOWN
from pentad.domain.secrets.known import is_known_number as is_known_number
from pentad.domain.secrets.mask import mask_forms as mask_forms
from pentad.domain.secrets.mask import mask_secrets as mask_secrets
from pentad.domain.secrets.named import mask_named as mask_named
from pentad.domain.secrets.names import MASK as MASK
from pentad.domain.secrets.names import is_behind as is_behind
from pentad.domain.secrets.names import is_secret_field as is_secret_field
from pentad.domain.secrets.names import is_secret_name as is_secret_name
from pentad.domain.secrets.names import is_secret_value as is_secret_value
