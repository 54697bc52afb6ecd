"""A small Internet at the outermost edge: a name server that a test fills in, and one TLS server behind every
address.
"""

import datetime as dt
import ipaddress
import socket
import ssl
from threading import Thread

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.patience import PATIENCE_SECONDS

HOST = "hooks.example.com"
PUBLIC = "93.184.216.34"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def make_certificate(folder, *names):
    """``(CA file, chain file)`` of a server with these names."""
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test")]),
    )
    now = dt.datetime.now(dt.UTC)
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    builder = x509.CertificateBuilder(
        issuer_name=name, subject_name=name, public_key=key.public_key(),
        serial_number=x509.random_serial_number(), not_valid_before=now - dt.timedelta(days=1),
        not_valid_after=now + dt.timedelta(days=1),
    )  # fmt: skip
    builder = builder.add_extension(
        x509.SubjectAlternativeName([x509.DNSName(each) for each in names]), critical=False
    )
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    builder = builder.add_extension(usage, critical=True)
    certificate = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "ca.pem").write_bytes(certificate)
    (folder / "chain.pem").write_bytes(private + certificate)
    return folder / "ca.pem", folder / "chain.pem"


class Internet:
    """``names``: name → its answers, a list of lists where they change from one question to the next.

    ``questions`` and ``connections`` are what was asked and connected to; ``requests`` what the server got:
    (name by TLS, head, body). ``answer`` is what it says, as bytes, or a function of its connection.
    """

    def __init__(self, authority, chain):
        self.ca = str(authority)
        self.reset()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(chain)
        self._context.sni_callback = self._note_name
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._connect = socket.socket.connect
        self._thread = Thread(target=self._serve, daemon=True)
        self._thread.start()

    def reset(self):
        self.names, self.questions, self.connections, self.requests = {HOST: [PUBLIC]}, [], [], []
        self.answer = OK

    def getaddrinfo(self, host, port, family=0, type=0, proto=0, flags=0):
        try:
            answers = [str(ipaddress.ip_address(host.strip("[]")))]
        except ValueError:
            self.questions.append(host)
            answers = self.names.get(host, [])
            if answers and isinstance(answers[0], list):
                answers = answers.pop(0) if len(answers) > 1 else answers[0]
        if not answers:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        families = [socket.AF_INET6 if ":" in each else socket.AF_INET for each in answers]
        return [
            (kind, socket.SOCK_STREAM, 6, "", (each, port or 0))
            for kind, each in zip(families, answers, strict=True)
        ]

    def connect(self, connecting, address):
        """Whatever is connected to, is the one server."""
        self.connections.append(address[:2])
        if connecting.family == socket.AF_INET6:
            raise OSError("IPv6 does not lead anywhere here")
        return self._connect(connecting, self._listening.getsockname())

    def close(self):
        self._listening.close()

    def _note_name(self, connection, name, _context):
        connection.context.asked_for = name

    def _serve(self):
        while True:
            try:
                accepted, _ = self._listening.accept()
            except OSError:
                return
            Thread(target=self._respond, args=[accepted], daemon=True).start()

    def _respond(self, accepted):
        accepted.settimeout(PATIENCE_SECONDS)
        try:
            with self._context.wrap_socket(accepted, server_side=True) as connection:
                head, body = _read(connection)
                self.requests.append((self._context.asked_for, head, body))
                self.answer(connection) if callable(self.answer) else connection.sendall(self.answer)
        except OSError:  # the client has gone
            accepted.close()


def _read(connection):
    got = b""
    while b"\r\n\r\n" not in got:
        got += connection.recv(65536)
    head, _, body = got.partition(b"\r\n\r\n")
    lines = [line.split(": ", 1) for line in head.decode().split("\r\n")[1:]]
    headers = {name.lower(): value for name, value in lines}
    while len(body) < int(headers.get("content-length", 0)):
        body += connection.recv(65536)
    return headers, body
