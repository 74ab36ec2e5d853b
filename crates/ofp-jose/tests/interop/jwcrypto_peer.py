"""Python's jwcrypto as the other side: opens what ofp-jose made, and makes what it must open."""

import json
import sys

from jwcrypto import jwe, jwk, jws
from jwcrypto.common import base64url_decode, base64url_encode

given = json.load(sys.stdin)
private = jwk.JWK.from_pem(given["private_pem"].encode())
public = jwk.JWK(**given["jwks"]["keys"][0])
header = {"alg": "PS256", "kid": given["kid"]}

# ours to theirs
token = jws.JWS()
token.allowed_algs = ["PS256"]
token.deserialize(given["jws"], public)
signed = token.payload.decode()

head, _, signature = given["detached"].split(".")
body = base64url_encode(given["body"])
detached = jws.JWS()
detached.allowed_algs = ["PS256"]
detached.deserialize(f"{head}.{body}.{signature}", public)

opened = jwe.JWE(algs=["RSA-OAEP-256", "A256GCM"])
opened.deserialize(given["jwe"], private)

# theirs to ours
mine = jws.JWS(given["body"].encode())
mine.add_signature(private, None, json.dumps(header))
compact = mine.serialize(compact=True)
h, _, s = compact.split(".")

encrypted = jwe.JWE(
    given["body"].encode(),
    json.dumps({"alg": "RSA-OAEP-256", "enc": "A256GCM", "cty": "JWT", "kid": given["kid"]}),
)
encrypted.add_recipient(public)

json.dump(
    {
        "signed": signed,
        "opened": opened.payload.decode(),
        "opened_header": opened.jose_header,
        "jws": compact,
        "detached": f"{h}..{s}",
        "jwe": encrypted.serialize(compact=True),
        "x5c_is_the_key": base64url_decode(given["jwks"]["keys"][0]["n"]).hex()
        == "%x" % private.get_op_key("verify").public_numbers().n,
    },
    sys.stdout,
)
