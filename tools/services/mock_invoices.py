"""Invoices that nobody has to pay. The reference follows from the idempotency key: the same key, the same invoice."""

import base64
import hashlib


def create(idempotency_key: str) -> tuple[str, str]:
    """The invoice's reference and the address of its page."""
    digest = base64.b32encode(hashlib.sha256(idempotency_key.encode()).digest()).decode()
    reference = f"INV-{digest[:8]}"
    return reference, f"https://pay.example.com/invoice/{reference}"
