"""A user's ukeyd with a real token: SoftHSM2 in a folder of its own, keys and certificates on it,
and clients of both roads.  Python's standard library, openssl and softhsm2-util only."""

import base64
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

PIN = "123456"
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SOFTHSM = next((p for p in ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so",
                            "/usr/lib64/pkcs11/libsofthsm2.so") if os.path.exists(p)), None)


def b64(data):
    return base64.b64encode(data).decode()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Refused(Exception):
    def __init__(self, error):
        super().__init__(error["data"]["reason"])
        self.reason = error["data"]["reason"]
        self.error = error


class Client:
    """JSON-RPC over whatever put() and get() carry."""

    def __init__(self):
        self.last = 0
        self.notes = []

    def send(self, method, params=None):
        self.last += 1
        self.put(json.dumps({"jsonrpc": "2.0", "id": self.last, "method": method,
                             "params": params or {}}).encode())
        return self.last

    def receive(self):
        while True:
            message = json.loads(self.get())
            if "id" in message:
                return message
            self.notes.append(message)

    def call(self, method, params=None):
        self.send(method, params)
        message = self.receive()
        if "error" in message:
            raise Refused(message["error"])
        return message["result"]

    def put_data(self, path, size=256 * 1024):
        """The id of a file's content."""
        one = None
        with open(path, "rb") as f:
            total = os.fstat(f.fileno()).st_size
            sent = 0
            while True:
                chunk = f.read(size)
                sent += len(chunk)
                answer = self.call("data.put", {"chunk": b64(chunk), "last": sent == total,
                                                **({"data": one} if one else {})})
                assert answer["received"] == sent, answer
                one = answer["data"]
                if sent == total:
                    return one

    def read_exactly(self, n):
        parts = []
        while n:
            part = self.socket.recv(min(n, 1 << 20))
            if not part:
                raise ConnectionError("closed")
            parts.append(part)
            n -= len(part)
        return b"".join(parts)

    def close(self):
        self.socket.close()


class Local(Client):
    def __init__(self, path):
        super().__init__()
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(path)

    def put(self, text):
        self.socket.sendall(struct.pack("=I", len(text)) + text)

    def get(self):
        return self.read_exactly(struct.unpack("=I", self.read_exactly(4))[0])


class Page(Client):
    """A WebSocket, as a browser's page of that origin opens it (RFC 6455)."""

    def __init__(self, port, origin):
        super().__init__()
        self.socket = socket.create_connection(("127.0.0.1", port), 60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall((
            f"GET /ukey/1 HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            f"Sec-WebSocket-Version: 13\r\nOrigin: {origin}\r\n"
            "Sec-WebSocket-Protocol: ukey.1\r\n\r\n").encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.read_exactly(1)
        assert head.startswith(b"HTTP/1.1 101"), head

    def put(self, text):
        n = len(text)
        size = (struct.pack("!B", 0x80 | n) if n < 126 else
                struct.pack("!BH", 0xfe, n) if n < 65536 else struct.pack("!BQ", 0xff, n))
        mask = b"\x11\x22\x33\x44"
        pad = (mask * (n // 4 + 1))[:n]
        body = (int.from_bytes(text, "big") ^ int.from_bytes(pad, "big")).to_bytes(n, "big")
        self.socket.sendall(b"\x81" + size + mask + body)

    def get(self):
        text = b""
        while True:
            first, n = self.read_exactly(2)
            if n >= 126:
                n = int.from_bytes(self.read_exactly(2 if n == 126 else 8), "big")
            body = self.read_exactly(n)
            if first & 15 == 8:
                raise ConnectionError("closed")
            if first & 15 <= 2:
                text += body
                if first & 0x80:
                    return text


class World:
    """`programs`: the folder of ukeyd, ukey, ukey-token.  `policy`: its members beyond modules."""

    def __init__(self, programs, policy=None, module=None):
        self.programs = programs
        self.dir = tempfile.mkdtemp(prefix="uk-world-")
        os.chmod(self.dir, 0o700)
        self.socket = self.path("ukey/agent.sock")
        self.answers = self.path("answers")
        self.policy = policy or {}
        self.module = module or SOFTHSM
        self.port = None
        self.ukeyd = None
        self.write("softhsm2.conf", f"directories.tokendir = {self.path('tokens')}\n"
                                    "objectstore.backend = file\nlog.level = ERROR\n")
        os.mkdir(self.path("tokens"), 0o700)
        os.mkdir(self.path("policy"), 0o700)
        self.env = dict(os.environ, SOFTHSM2_CONF=self.path("softhsm2.conf"),
                        UKEY_FAULT_CONF=self.path("softhsm2.conf"), UKEY_FAULT_MODULE=SOFTHSM,
                        UKEY_FAULT_FILE=self.path("rules"),
                        UKEY_FAKE_PINENTRY=self.answers, XDG_RUNTIME_DIR=self.dir,
                        XDG_STATE_HOME=self.dir, ASAN_OPTIONS="detect_leaks=0")
        self.answer("")
        self.write("rules", "")
        self.run("softhsm2-util", "--init-token", "--free", "--label", "demo",
                 "--so-pin", "12345678", "--pin", PIN)

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(text)

    def answer(self, *lines):
        """What the user types from now on."""
        self.write("answers", "".join(line + "\n" for line in lines if line))

    def shown(self):
        with open(self.answers + ".log", encoding="utf-8") as f:
            return f.read()

    def run(self, *args, data=None):
        return subprocess.run(args, env=self.env, input=data, check=True,
                              capture_output=True).stdout

    def start(self):
        self.write("policy/10.json", json.dumps({"modules": [self.module], **self.policy}))
        self.port = free_port()
        self.ukeyd = subprocess.Popen(
            [os.path.join(self.programs, "ukeyd"), "--port", str(self.port), "--policy",
             self.path("policy"), "--socket", self.socket, "--pinentry",
             os.path.join(ROOT, "tests/fake/pinentry"), "--log-level", "error"], env=self.env)
        end = time.monotonic() + 20
        while True:
            try:
                return self.local()
            except OSError:
                if time.monotonic() > end or self.ukeyd.poll() is not None:
                    raise
                time.sleep(0.05)

    def stop(self):
        if self.ukeyd is None:
            return
        self.ukeyd.send_signal(signal.SIGTERM)
        status = self.ukeyd.wait(20)
        self.ukeyd = None
        assert status == 0, f"ukeyd ended with {status}"

    def end(self):
        try:
            self.stop()
        finally:
            shutil.rmtree(self.dir)

    def local(self):
        return Local(self.socket)

    def page(self, origin):
        return Page(self.port, origin)

    def helper_pids(self):
        with open(f"/proc/{self.ukeyd.pid}/task/{self.ukeyd.pid}/children", encoding="ascii") as f:
            return [int(pid) for pid in f.read().split()]

    def enrol(self, client, algorithm, name):
        """A key with its certificate: (token, key, certificate id)."""
        token = next(t["id"] for t in client.call("token.list")["tokens"] if t["label"] == "demo")
        self.answer(PIN)
        client.call("token.login", {"token": token})
        key = client.call("key.generate", {"token": token, "algorithm": algorithm,
                                           "label": name})["key"]
        request = client.call("request.create", {"token": token, "key": key,
                                                 "subject": {"commonName": name}})["request"]
        der = self.issue(base64.b64decode(request))
        one = client.call("certificate.install", {"token": token, "certificate": b64(der)})
        return token, key, one["certificate"]

    def issue(self, request, *options):
        if not os.path.exists(self.path("ca.pem")):
            self.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                     "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.path("ca.key"), "-out",
                     self.path("ca.pem"), "-subj", "/CN=Test CA", "-days", "30")
            self.write("ca.ext", "basicConstraints=critical,CA:FALSE\n"
                                 "keyUsage=critical,digitalSignature,nonRepudiation\n"
                                 "extendedKeyUsage=emailProtection\n")
        return self.run("openssl", "x509", "-req", "-inform", "DER", "-CA", self.path("ca.pem"),
                        "-CAkey", self.path("ca.key"), "-CAcreateserial", "-days", "20",
                        "-extfile", self.path("ca.ext"), "-outform", "DER", *options, data=request)

    def holds(self, cms, content):
        """Does a detached CMS hold over that file, as a relying party judges it?"""
        with open(self.path("cms.der"), "wb") as f:
            f.write(cms)
        done = subprocess.run(
            ["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", self.path("cms.der"),
             "-content", content, "-CAfile", self.path("ca.pem"), "-out", "/dev/null"],
            capture_output=True, check=False)
        return done.returncode == 0


def memory(pid):
    """(RSS, PSS, private dirty) in KiB."""
    values = {}
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        for line in f.readlines()[1:]:
            name, value = line.split()[:2]
            values[name[:-1]] = int(value)
    return values["Rss"], values["Pss"], values["Private_Dirty"]


def processor(pid):
    """Seconds of a process itself, and of its children that have ended."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(") ", 1)[1].split()
    hertz = os.sysconf("SC_CLK_TCK")
    return sum(map(int, fields[11:13])) / hertz, sum(map(int, fields[13:15])) / hertz
