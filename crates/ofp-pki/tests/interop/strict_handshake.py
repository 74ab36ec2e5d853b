"""A mutual TLS handshake in memory, both sides holding X.509 to RFC 5280 strictly."""

import ssl
import sys
from pathlib import Path

folder = Path(sys.argv[1])


def context(purpose, party, role):
    made = ssl.create_default_context(purpose, cafile=folder / "ca.pem")
    made.verify_flags |= ssl.VERIFY_X509_STRICT
    made.verify_mode = ssl.CERT_REQUIRED
    made.load_cert_chain(folder / party / f"{role}.pem", folder / party / f"{role}-key.pem")
    return made


def endpoint(made, **options):
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    return made.wrap_bio(incoming, outgoing, **options), incoming, outgoing


server = endpoint(context(ssl.Purpose.CLIENT_AUTH, "paynet", "server"), server_side=True)
client = endpoint(context(ssl.Purpose.SERVER_AUTH, "dc-1", "client"), server_hostname="localhost")
pending = [client, server]
for _ in range(10):
    for side, other in ((client, server), (server, client)):
        if side in pending:
            try:
                side[0].do_handshake()
                pending.remove(side)
            except ssl.SSLWantReadError:
                pass
        other[1].write(side[2].read())
assert not pending, "the handshake did not complete"
subject = dict(pair for rdn in server[0].getpeercert()["subject"] for pair in rdn)
print(server[0].version(), subject["commonName"])
