"""An AS2 product for the interoperability tests: pyas2lib behind a small HTTP
server on the loopback interface.

    server.py AGREEMENTS.json

The file has one agreement for each AS2 name we answer to, the key and
certificate of our HTTPS server and the authority we trust over HTTPS. A line of
JSON on standard output tells ports and versions as soon as requests are taken;
the server ends when its standard input does.

    POST /as2            a transmission, or a receipt that comes on its own
    POST /send           {"name", "content", "content_type", "filename"}: send
                         by the agreement of that name; answers with the verdict
    GET  /received?name= what came for that name, oldest first

Contents travel as base64 in JSON. pyas2lib does all of AS2; this file only
carries bytes between it and HTTP.
"""

import base64
import http.client
import http.server
import json
import platform
import re
import select
import ssl
import sys
import threading
import urllib.parse
from importlib import metadata


def import_pyas2lib():
    """Import pyas2lib although oscrypto 1.3.0, which it is bound to, cannot
    read the version of an OpenSSL with two digits in its last place (3.0.19).
    Only that one search is helped out."""
    search, broken = re.search, r"\b(\d\.\d\.\d[a-z]*)\b"

    def helped(pattern, text, flags=0):
        if pattern == broken:
            pattern = r"\b(\d+\.\d+\.\d+[a-z]*)\b"
        return search(pattern, text, flags)

    re.search = helped
    try:
        import pyas2lib

        return pyas2lib
    finally:
        re.search = search


as2 = import_pyas2lib()

# How long a partner may take to answer, in seconds.
PATIENCE = 30


class Peer:
    """The state of the product: agreements, what was sent, what was received."""

    def __init__(self, config):
        self.agreements = config["agreements"]
        self.port = 0
        self.trust = ssl.create_default_context(cafile=config["authority"])
        self.lock = threading.Lock()
        # Held while pyas2lib works: what it reads and writes ASN.1 with fills
        # its tables at their first use, and another thread sees them half full.
        self.library = threading.Lock()
        self.received = {}  # by our AS2 name: list of records
        self.seen = set()  # (message id, partner) of what was taken over
        self.sent = {}  # by message id: [message, verdict or None, event]

    def parties(self, name, partner):
        """The two sides of an agreement as pyas2lib wants them, or None twice."""
        agreement = self.agreements.get(name)
        if agreement is None or agreement["partner"] != partner:
            return None, None
        key = open(agreement["key"], "rb").read()
        certificate = open(agreement["certificate"], "rb").read()
        organization = as2.Organization(
            as2_name=name,
            sign_key=key,
            decrypt_key=key,
            mdn_url=f"http://127.0.0.1:{self.port}/as2",
            domain="pyas2.test",
        )
        return organization, as2.Partner(
            as2_name=partner,
            verify_cert=certificate,
            encrypt_cert=certificate,
            validate_certs=False,
            **agreement["settings"],
        )

    def receive(self, raw):
        """Take a request; returns the receipt to answer with, or None."""
        message = as2.Message()
        with self.library:
            status, (problem, _), mdn = message.parse(
                raw,
                find_org_partner_cb=self.parties,
                find_message_cb=lambda message_id, partner: (message_id, partner) in self.seen,
            )
        name = as2_name(message.headers.get("as2-to", ""))
        partner = as2_name(message.headers.get("as2-from", ""))
        content = message.content
        record = {
            "message_id": message.message_id,
            "status": status,
            "problem": str(problem) if problem else "",
            "signed": message.signed,
            "encrypted": message.encrypted,
            "compressed": message.compressed,
            "digest": message.digest_alg or "",
            "content": base64.b64encode(content if isinstance(content, bytes) else content.encode()).decode(),
        }
        with self.lock:
            if status == "processed":
                self.seen.add((message.message_id, partner))
            self.received.setdefault(name, []).append(record)
        return mdn

    def returned(self, raw):
        """Take a receipt that came on its own; tells whether it is one."""
        mdn = as2.Mdn()
        found = []

        def original(message_id, _):
            found.append(message_id)
            with self.lock:
                entry = self.sent.get(message_id)
            return entry[0] if entry else None

        with self.library:
            status, detail = mdn.parse(raw, original)
        if detail == "mdn-not-found":
            return False
        with self.lock:
            entry = self.sent.get(found[0]) if found else None
            if entry:
                entry[1] = {"status": status, "detail": detail or ""}
                entry[2].set()
        return True

    def send(self, order):
        """Send by an agreement, wait for the receipt, return the verdict."""
        name = order["name"]
        agreement = self.agreements[name]
        with self.library:
            organization, partner = self.parties(name, agreement["partner"])
            message = as2.Message(organization, partner)
            message.build(
                base64.b64decode(order["content"]),
                filename=order["filename"],
                content_type=order["content_type"],
            )
        entry = [message, None, threading.Event()]
        with self.lock:
            self.sent[message.message_id] = entry
        status, headers, body = self.post(agreement["url"], message.headers, message.content, agreement.get("how", ""))
        verdict = {"http": status, "message_id": message.message_id, "status": "", "detail": ""}
        mode = agreement["settings"].get("mdn_mode")
        if status // 100 == 2 and mode == "SYNC":
            with self.library:
                got, detail = as2.Mdn().parse(headers + b"\r\n" + body, lambda *_: message)
            verdict.update(status=got or "", detail=detail or "")
        elif status // 100 == 2 and mode == "ASYNC":
            if entry[2].wait(PATIENCE):
                verdict.update(entry[1])
            else:
                verdict.update(status="failed", detail="no receipt came")
        return verdict

    def post(self, url, headers, body, how=""):
        """POST; returns status, header lines and body of the answer. how is
        "chunked", or "asking": the body leaves once 100 Continue has come."""
        parts = urllib.parse.urlsplit(url)
        if parts.scheme == "https":
            connection = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=PATIENCE, context=self.trust)
        else:
            connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=PATIENCE)
        body = body if isinstance(body, bytes) else body.encode()
        try:
            if how == "chunked":
                pieces = (body[i : i + 1000] for i in range(0, len(body), 1000))
                lean = {k: v for k, v in headers.items() if k.lower() != "content-length"}
                connection.request("POST", parts.path or "/", body=pieces, headers=lean, encode_chunked=True)
            elif how == "asking":
                connection.putrequest("POST", parts.path or "/")
                for name, value in {**headers, "Content-Length": len(body), "Expect": "100-continue"}.items():
                    connection.putheader(name, value)
                connection.endheaders()
                if not select.select([connection.sock], [], [], PATIENCE)[0]:
                    raise TimeoutError("100 Continue did not come")
                connection.send(body)
            else:
                connection.request("POST", parts.path or "/", body=body, headers=headers)
            answer = connection.getresponse()
            lines = "".join(f"{k}: {v}\r\n" for k, v in answer.getheaders())
            return answer.status, lines.encode("latin-1"), answer.read()
        finally:
            connection.close()


def as2_name(header):
    """An AS2 name without its quotes."""
    return header[1:-1] if len(header) > 1 and header[0] == header[-1] == '"' else header


class Handler(http.server.BaseHTTPRequestHandler):
    """The requests of partners and of the tests."""

    protocol_version = "HTTP/1.1"

    def body(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline() not in (b"\r\n", b"\n", b""):
            pass
        return b"".join(chunks)

    def answer(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def answer_json(self, value):
        self.answer(200, json.dumps(value).encode(), [("Content-Type", "application/json")])

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        if url.path != "/received":
            return self.answer(404)
        name = urllib.parse.parse_qs(url.query)["name"][0]
        with self.server.peer.lock:
            return self.answer_json(self.server.peer.received.get(name, []))

    def do_POST(self):
        body = self.body()
        if self.path == "/send":
            return self.answer_json(self.server.peer.send(json.loads(body)))
        if self.path != "/as2":
            return self.answer(404)
        lines = "".join(f"{k}: {v}\r\n" for k, v in self.headers.items())
        raw = lines.encode("latin-1") + b"\r\n" + body
        kind = self.headers.get_content_type()
        if kind in ("multipart/report", "multipart/signed") and self.server.peer.returned(raw):
            return self.answer(204)
        mdn = self.server.peer.receive(raw)
        if mdn is None:
            return self.answer(200)
        if mdn.mdn_mode == "SYNC":
            return self.answer(200, mdn.content, mdn.headers.items())
        self.answer(202)
        threading.Thread(target=self.server.peer.post, args=(mdn.mdn_url, mdn.headers, mdn.content), daemon=True).start()

    def log_message(self, format, *args):
        print(self.address_string(), format % args, file=sys.stderr)


class Server(http.server.ThreadingHTTPServer):
    """A thread for each request, and many may wait for theirs."""

    request_queue_size = 128
    daemon_threads = True


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        config = json.load(file)
    peer = Peer(config)
    server, secure = Server(("127.0.0.1", 0), Handler), Server(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(config["server"])
    # The handshake is for the thread of its connection.
    secure.socket = context.wrap_socket(secure.socket, server_side=True, do_handshake_on_connect=False)
    server.peer = secure.peer = peer
    peer.port = server.server_address[1]
    for one in (server, secure):
        threading.Thread(target=one.serve_forever, daemon=True).start()
    ready = {"port": peer.port, "secure": secure.server_address[1], "pyas2lib": metadata.version("pyas2lib"), "python": platform.python_version()}
    print(json.dumps(ready), flush=True)
    sys.stdin.read()


main()
