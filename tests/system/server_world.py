"""What the server's system tests work with: the real programs on free ports, a browser of sorts,
keys, and photos.  Python's standard library and the openssl command only."""

import base64
import contextlib
import hashlib
import html
import http.client
import http.cookies
import itertools
import json
import os
import re
import shutil
import socket
import sqlite3
import struct
import subprocess
import tempfile
import time
import urllib.parse
import zlib


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_until(what, seconds=15, every=0.05):
    """The first true value of what()."""
    end = time.monotonic() + seconds
    while True:
        value = what()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("not in time")
        time.sleep(every)


def b64(data):
    return base64.b64encode(data).decode()


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def openssl(*args, data=None):
    return subprocess.run(["openssl", *args], input=data, check=True, capture_output=True).stdout


def png(width, height):
    """A picture of noise, so that it does not shrink to nothing."""
    rows = b"".join(b"\0" + os.urandom(width * 3) for _ in range(height))

    def chunk(kind, body):
        return (struct.pack(">I", len(body)) + kind + body +
                struct.pack(">I", zlib.crc32(kind + body)))

    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b""))


def der_parts(data):
    """The contents of the DER values that follow each other."""
    parts, at = [], 0
    while at < len(data):
        n, head = data[at + 1], 2
        if n >= 0x80:
            head += n & 0x7f
            n = int.from_bytes(data[at + 2:at + head], "big")
        parts.append(data[at + head:at + head + n])
        at += head + n
    return parts


SM2_ID = "distid:1234567812345678"


CODES = "0123456789ABCDEFGHJKLMNPQRTUWXY"
COUNT = [0]


def credit_code():
    """A fresh one with its check character (GB 32100)."""
    COUNT[0] += 1
    body = "91350100M%08d" % COUNT[0]
    total = sum(CODES.index(c) * pow(3, i, 31) for i, c in enumerate(body))
    return body + CODES[(31 - total % 31) % 31]


def id_number():
    """A fresh one with its check character (GB 11643)."""
    COUNT[0] += 1
    body = "3501021980%02d%02d%03d" % (1 + COUNT[0] // 28 % 12, 1 + COUNT[0] % 28, COUNT[0] // 336)
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(c) * w for c, w in zip(body, weights)) % 11]


class Key:
    """A key pair in a file, standing in for the one on a token."""

    def __init__(self, path, algorithm="p256"):
        self.path, self.sm2 = path, algorithm == "sm2"
        kind = ["SM2"] if self.sm2 else ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
        openssl("genpkey", "-algorithm", *kind, "-out", path)
        os.chmod(path, 0o600)
        spki = openssl("pkey", "-in", path, "-pubout", "-outform", "DER")
        self.x, self.y = spki[-64:-32], spki[-32:]

    def request(self, identifier=SM2_ID):
        how = ["-sm3", "-sigopt", identifier] if self.sm2 else []
        return openssl("req", "-new", "-key", self.path, *how, "-subj", "/CN=any", "-outform", "DER")

    def sign(self, data):
        """r||s"""
        how = ["-sm3", "-sigopt", SM2_ID] if self.sm2 else ["-sha256"]
        der = openssl("dgst", *how, "-sign", self.path, data=data)
        return b"".join(int.from_bytes(n, "big").to_bytes(32, "big") for n in der_parts(der_parts(der)[0]))

    def open_envelope(self, der, path):
        """The pair under envelope (GB/T 35276) as a Key in a file of its own."""
        cipher, public, private = der_parts(der_parts(der)[0])[1:]
        cipher_der = b"\x30" + bytes([len(cipher)]) + cipher
        assert public[:2] == b"\0\4" and private[0] == 0
        kek = openssl("pkeyutl", "-decrypt", "-inkey", self.path, data=cipher_der)
        d = openssl("enc", "-d", "-sm4-ecb", "-nopad", "-K", kek.hex(), data=private[1:])
        body = (b"\x02\x01\x01\x04\x20" + d + b"\xa0\x0a\x06\x08\x2a\x81\x1c\xcf\x55\x01\x82\x2d" +
                b"\xa1\x44\x03\x42" + public)
        with open(path, "wb") as f:
            f.write(openssl("pkey", "-inform", "DER", data=b"\x30" + bytes([len(body)]) + body))
        opened = Key.__new__(Key)
        opened.path, opened.sm2, opened.x, opened.y = path, True, public[2:34], public[34:]
        return opened

    def jwk(self):
        return {"kty": "EC", "crv": "P-256", "x": b64url(self.x), "y": b64url(self.y)}

    def thumbprint(self):
        j = self.jwk()
        text = '{"crv":"P-256","kty":"EC","x":"%s","y":"%s"}' % (j["x"], j["y"])
        return b64url(hashlib.sha256(text.encode()).digest())

    def login(self, origin, challenge):
        """What login.create of the daemon signs (include/uk/login.h)."""
        data = b"ukey-login-1\0"
        for field in (origin, challenge["audience"], challenge["nonce"]):
            data += struct.pack(">I", len(field)) + field.encode()
        data += struct.pack(">Iq", 8, challenge["expires"])
        return b64(self.sign(data))

    def vouch(self, channel, origin, now=None):
        """A station's word for a channel key (include/uk/ticket.h)."""
        head = {"alg": "ES256", "kid": self.thumbprint(), "typ": "ukey-vouch"}
        body = {"channel": channel.thumbprint(), "origin": origin, "iat": int(now or time.time())}
        text = ".".join(b64url(json.dumps(v, separators=(",", ":")).encode()) for v in (head, body))
        return text + "." + b64url(self.sign(text.encode()))


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def reason(self):
        return self.json["error"]["reason"]


class Browser:
    """Keeps cookies; sends what the pages send."""

    addresses = itertools.repeat("127.0.0.1")  # where the next ones are; the server counts by address

    def __init__(self, port):
        self.port, self.cookies, self.address = port, {}, next(self.addresses)

    def request(self, method, path, body=None, headers=None):
        headers = dict(headers or {})
        if method != "GET":
            headers.setdefault("X-Ukey", "1")
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            headers["Content-Type"] = "application/json"
        if self.cookies:
            headers["Cookie"] = "; ".join("%s=%s" % c for c in self.cookies.items())
        conn = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60, source_address=(self.address, 0))
        try:
            conn.request(method, path, body, headers)
            reply = conn.getresponse()
            data = reply.read()
            for name, value in reply.getheaders():
                if name.lower() == "set-cookie":
                    self.take_cookie(value)
            return Answer(reply.status, reply.headers, data)
        finally:
            conn.close()

    def take_cookie(self, text):
        for name, morsel in http.cookies.SimpleCookie(text).items():
            self.cookies.pop(name, None)
            if morsel.value:
                self.cookies[name] = morsel.value

    def get(self, path):
        return self.request("GET", path)

    def post(self, path, body=None):
        return self.request("POST", path, {} if body is None else body)

    def put(self, path, body, kind=None):
        return self.request("PUT", path, body, {"Content-Type": kind} if kind else None)


class World:
    """One CA and one sandbox in a folder of their own."""

    def __init__(self, bin_dir, algorithm="p256"):
        self.bin, self.algorithm = bin_dir, algorithm
        self.dir = tempfile.mkdtemp(prefix="ukey-system-")
        self.ca_port, self.sandbox_port = free_port(), free_port()
        self.origin = "http://localhost:%d" % self.ca_port
        self.ca = self.sandbox = None
        self.clock_file = os.path.join(self.dir, "clock")
        self.log = open(os.path.join(self.dir, "log"), "wb")
        self.ca_dir = os.path.join(self.dir, "ca")

    def run(self, *args, check=True):
        return subprocess.run([os.path.join(self.bin, "ukey-ca"), *args], check=check,
                              capture_output=True, text=True)

    def start_sandbox(self, speed="1000"):
        folder = os.path.join(self.dir, "sandbox")
        os.makedirs(folder, exist_ok=True)
        self.sandbox = subprocess.Popen(
            [os.path.join(self.bin, "ukey-sandbox"), "--dir", folder, "--listen",
             "127.0.0.1:%d" % self.sandbox_port, "--speed", speed], stdout=self.log, stderr=self.log)
        self.answers(self.sandbox_port, self.sandbox)

    def init(self):
        self.run("init", "--dir", self.ca_dir, "--origin", self.origin, "--name", "测试证书认证中心",
                 "--algorithm", self.algorithm, "--listen", "127.0.0.1:%d" % self.ca_port, "--with",
                 os.path.join(self.dir, "sandbox", "sandbox.json"))
        self.change_config({"clock-file": self.clock_file, "log-level": "debug",
                            "service-phone": "4000000000"})

    def change_config(self, members):
        path = os.path.join(self.ca_dir, "config.json")
        with open(path, encoding="utf-8") as f:
            config = json.load(f)
        config.update(members)
        with open(path, "w", encoding="utf-8") as f:
            json.dump(config, f)

    def start_ca(self, **env):
        self.ca = subprocess.Popen(
            [os.path.join(self.bin, "ukey-ca"), "serve", "--config",
             os.path.join(self.ca_dir, "config.json")], stdout=self.log, stderr=self.log, env={**os.environ, **env})
        self.answers(self.ca_port, self.ca)

    def answers(self, port, process):
        def up():
            if process.poll() is not None:
                raise AssertionError("ended with %d:\n%s" % (process.returncode, self.log_text()))
            with socket.socket() as s:
                return s.connect_ex(("127.0.0.1", port)) == 0
        wait_until(up)

    def log_text(self):
        with open(os.path.join(self.dir, "log"), errors="replace", encoding="utf-8") as f:
            return f.read()

    def database(self):
        return contextlib.closing(sqlite3.connect("file:%s?mode=ro" % os.path.join(self.ca_dir, "ukey-ca.db"), uri=True))

    def kill_ca(self):
        self.ca.kill()
        self.ca.wait()

    def stop_ca(self):
        self.ca.terminate()
        return self.ca.wait(timeout=30)

    def clock(self, seconds):
        """How far the CA's clock is ahead."""
        with open(self.clock_file + ".new", "w", encoding="ascii") as f:
            f.write(str(seconds))
        os.rename(self.clock_file + ".new", self.clock_file)

    def close(self):
        for process in (self.ca, self.sandbox):
            if process is not None and process.poll() is None:
                process.terminate()
                try:
                    process.wait(timeout=30)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        self.log.close()
        ended = self.ca.returncode if self.ca is not None else 0
        if ended != 0:  # a sanitizer's last word, too
            print(self.log_text()[-8000:])
        if os.environ.get("UKEY_TEST_KEEP"):
            print("kept:", self.dir)
        else:
            shutil.rmtree(self.dir)
        if ended != 0:
            raise AssertionError("ukey-ca ended with %d" % ended)

    # what people read in the sandbox's pages

    def page(self, path):
        return html.unescape(Browser(self.sandbox_port).get(path).body.decode())

    def messages(self, phone):
        """Newest first."""
        return re.findall(r'data-testid="text">([^<]*)<', self.page("/inbox?phone=" + phone))

    def code(self, phone, word, after=0):
        """The newest code with that word in its message, once there are more than `after`."""
        def newest():
            found = [m for m in self.messages(phone) if word in m]
            return found if len(found) > after else None
        return re.search(r"\d{6}", wait_until(newest)[0]).group()

    def records(self, account):
        return re.findall(r'data-testid="remark">([^<]*)<', self.page("/bank/records?account=" + account))

    def fault(self, **members):
        answer = Browser(self.sandbox_port).post("/control", members)
        assert answer.status == 200, answer.body

    def cashier(self, url, action="pay"):
        """Open the payment page, and press a button of it."""
        payer = Browser(self.sandbox_port)
        parts = urllib.parse.urlsplit(url)
        answer = payer.get(parts.path + "?" + parts.query)
        if answer.status in (302, 303):
            answer = payer.get(answer.headers["Location"])
        page = answer.body.decode()
        assert answer.status == 200, page
        ident = re.search(r'name="id" value="([^"]+)"', page).group(1)
        if action is None:
            return ident
        return self.press(ident, action)

    def press(self, ident, action="pay"):
        return Browser(self.sandbox_port).request(
            "POST", "/alipay/cashier", urllib.parse.urlencode({"id": ident, "action": action}),
            {"Content-Type": "application/x-www-form-urlencoded"})

    # staff

    def staff(self, name, roles):
        return Staff(self, name, roles)


class Staff:
    def __init__(self, world, name, roles):
        self.world = world
        base = os.path.join(world.dir, "staff-%s" % b64url(name.encode()))
        self.key = Key(base + ".key", world.algorithm)
        with open(base + ".csr", "wb") as f:
            f.write(self.key.request())
        out = world.run("staff", "add", "--dir", world.ca_dir, "--name", name, "--roles", roles,
                        "--request", base + ".csr", "--certificate", base + ".cer")
        self.serial = out.stdout.strip().rsplit(" ", 1)[1]
        self.path = base + ".cer"
        with open(self.path, "rb") as f:
            self.certificate = f.read()
        self.browser = Browser(world.ca_port)

    def challenge(self):
        return self.browser.post("/api/staff/challenge").json

    def login(self, challenge=None, origin=None, key=None):
        c = challenge or self.challenge()
        signature = (key or self.key).login(origin or self.world.origin, c)
        return self.browser.post("/api/staff/login", {
            "nonce": c["nonce"], "certificate": b64(self.certificate), "signature": signature})
