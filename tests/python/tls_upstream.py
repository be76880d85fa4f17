"""An HTTPS server on Python's ssl (OpenSSL): tells each request what its connection was like.

usage: tls_upstream.py CERTIFICATE KEY [CLIENT_CA]

Prints its address, then one JSON line per handshake: {"sni", "ok", "error"}. Paths that begin with `/sick` get 503; each reply
names the values of Host that came with `/healthz`.
"""

import json
import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


checked = set()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        length = int(self.headers.get("content-length", 0))
        received = len(self.rfile.read(length))
        certificate = self.connection.getpeercert() or {}
        subject = {name: value for part in certificate.get("subject", ()) for name, value in part}
        if self.path == "/healthz":
            checked.add(self.headers.get("host"))
        body = json.dumps(
            {
                "host": self.headers.get("host"),
                "checked": sorted(checked),
                "sni": getattr(self.connection, "asked_name", None),
                "alpn": self.connection.selected_alpn_protocol(),
                "version": self.connection.version(),
                "client": subject.get("commonName"),
                "received": received,
            }
        ).encode()
        self.send_response(503 if self.path.startswith("/sick") else 200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = answer
    do_POST = answer

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def finish_request(self, request, client_address):
        # here and not in `accept`: one slow handshake must not hold up the next
        try:
            request.do_handshake()
        except OSError as error:
            self.told(request, error)
            return
        self.told(request, None)
        super().finish_request(request, client_address)

    def told(self, request, error):
        line = {"sni": getattr(request, "asked_name", None), "ok": error is None, "error": str(error or "")}
        print(json.dumps(line), flush=True)

    def handle_error(self, *_):
        pass


def main():
    certificate, key, *clients = sys.argv[1:]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["http/1.1"])
    if clients:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(clients[0])

    def asked(connection, name, _):
        connection.asked_name = name

    context.sni_callback = asked
    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    print(f"127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


main()
