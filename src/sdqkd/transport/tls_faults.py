"""What OpenSSL reports, in words that say what is wrong with whose certificate."""

from __future__ import annotations

import ssl

from sdqkd.transport.socket_link import printable

# What a failed verification means, by OpenSSL's number; {} is the peer's certificate.
_VERIFICATION = {
    9: "is not valid yet: is the clock right?",
    10: "has expired",
    18: "is signed by itself, and is not among those that are trusted",
    19: "was issued by somebody who is not among those that are trusted",
    20: "was issued by somebody who is not among those that are trusted",
    21: "was issued by somebody who is not among those that are trusted",
    23: "was revoked",
    24: "was issued by somebody who may not issue certificates",
    26: "is not made for this purpose",
    62: "is for another name than {name}",
    64: "is for another address than {name}",
}


def fault_of_certificate(error: ssl.SSLCertVerificationError, name: str) -> str:
    """Say what is wrong with the peer's certificate; `name` is the name that it should have."""
    words = _VERIFICATION.get(error.verify_code)
    return words.format(name=name) if words else f"cannot be verified: {printable(error.verify_message)}"


# What the peer says of our certificate, by a part of OpenSSL's name of the alert.
_ALERTS = {
    "CERTIFICATE_EXPIRED": "it has expired",
    "CERTIFICATE_REVOKED": "it was revoked",
    "CERTIFICATE_REQUIRED": "it got none",
    "UNKNOWN_CA": "it does not trust who issued it",
    "BAD_CERTIFICATE": "it finds it bad",
    "UNSUPPORTED_CERTIFICATE": "it is not made for this purpose",
    "CERTIFICATE_UNKNOWN": "it does not accept it",
    "ACCESS_DENIED": "it does not let its owner in",
}


def refusal_of_ours(error: Exception) -> str | None:
    """Say why the peer refuses our certificate; None if the error is another one."""
    reason = getattr(error, "reason", None) or ""
    if "ALERT" not in reason:
        return None
    return next((words for part, words in _ALERTS.items() if part in reason), None)


_NO_TLS = "it does not speak TLS"
_OLD_TLS = "it speaks no TLS of version 1.2 or later"
_NO_CIPHER = "no safe way of encryption can be agreed on"
# What keeps the two ends from speaking TLS, by OpenSSL's name of the reason.
_TALK = {
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "it shows no certificate",
    "HTTP_REQUEST": _NO_TLS,
    "HTTPS_PROXY_REQUEST": _NO_TLS,
    "WRONG_VERSION_NUMBER": _NO_TLS,
    "UNKNOWN_PROTOCOL": _NO_TLS,
    "PACKET_LENGTH_TOO_LONG": _NO_TLS,
    "UNSUPPORTED_PROTOCOL": _OLD_TLS,
    "TLSV1_ALERT_PROTOCOL_VERSION": _OLD_TLS,
    "VERSION_TOO_LOW": _OLD_TLS,
    "NO_SHARED_CIPHER": _NO_CIPHER,
    "SSLV3_ALERT_HANDSHAKE_FAILURE": _NO_CIPHER,
}


def fault_of_talk(error: Exception) -> str:
    """Say why there is no TLS, certificates apart."""
    reason = getattr(error, "reason", None) or ""
    if reason in _TALK:
        return _TALK[reason]
    if isinstance(error, ssl.SSLEOFError):
        return "it hung up"
    return f"TLS failed: {printable(reason or error)}"
