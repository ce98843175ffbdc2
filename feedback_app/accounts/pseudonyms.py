"""What readers are called where their names stay out."""

from django.utils.crypto import salted_hmac


def pseudonym_of(reader: int) -> str:
    """Returns the pseudonym of the account of this id; it is the same in all files."""
    digest = salted_hmac("readings file", str(reader), algorithm="sha256").hexdigest()
    return f"reader-{digest[:8]}"
