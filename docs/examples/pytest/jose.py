"""PS256, RSA-OAEP-256 and A256GCM with jwcrypto, over the files of an ofp-sim certificates folder."""

import json
import time
import uuid
from pathlib import Path

from jwcrypto import jwe, jwk, jws


def key(folder, name, kid):
    """A private key of a folder such as certs-dev/dc-1, under its certificate's thumbprint."""
    pem = jwk.JWK.from_pem(Path(folder, f"{name}-key.pem").read_bytes())
    return jwk.JWK(**{**pem.export_private(as_dict=True), "kid": kid})


def keys(path):
    """A folder's published JWK set."""
    return jwk.JWKSet.from_json(Path(path, "jwks.json").read_text())


def sign(signer, payload, **header):
    token = jws.JWS(payload if isinstance(payload, bytes) else json.dumps(payload))
    protected = json.dumps({"alg": "PS256", "kid": signer["kid"], **header})
    token.add_signature(signer, alg="PS256", protected=protected)
    return token.serialize(compact=True)


def sign_detached(signer, body, **header):
    protected, _, signature = sign(signer, body, **header).split(".")
    return f"{protected}..{signature}"


def verify(key_set, text):
    """The claims of a JWT, once its signature holds."""
    token = jws.JWS()
    token.allowed_algs = ["PS256"]
    token.deserialize(text)
    token.verify(key_set.get_key(token.jose_header["kid"]))
    return json.loads(token.payload)


def decrypt(private, text):
    token = jwe.JWE(algs=["RSA-OAEP-256", "A256GCM"])
    token.deserialize(text)
    assert token.jose_header["kid"] == private["kid"]
    token.decrypt(private)
    return json.loads(token.payload)


def claims(iss, sub, aud, life=300, **more):
    now = int(time.time())
    return {"iss": iss, "sub": sub, "aud": aud, "iat": now, "nbf": now, "exp": now + life,
            "jti": str(uuid.uuid4()), **more}
