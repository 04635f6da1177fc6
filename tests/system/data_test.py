#!/usr/bin/env python3
"""Large data and batches, over both roads, on a real token.  data_test.py PROGRAMS FAULT-MODULE"""

import base64
import json
import os
import subprocess
import sys
import time
import unittest

from daemon_world import PIN, Refused, World, b64, memory

SITE = "https://ca.example"
MIB = 1024 * 1024
PROGRAMS, FAULT = sys.argv[1], sys.argv[2]
SANITIZED = b"__asan_init" in open(os.path.join(PROGRAMS, "ukeyd"), "rb").read()


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World(PROGRAMS, {"sites": {"allow": [SITE]}, "consent": "session"}, FAULT)
        cls.local = cls.world.start()
        _, cls.key, cls.cert = cls.world.enrol(cls.local, "p-256", "张三")

    @classmethod
    def tearDownClass(cls):
        cls.local.close()
        cls.world.end()

    def setUp(self):
        self.world.write("rules", "")
        self.world.answer("")

    def file(self, size):
        path = self.world.path("file")
        with open(path, "wb") as f:
            for _ in range(size // MIB):
                f.write(os.urandom(MIB))
            f.write(os.urandom(size % MIB))
        return path

    def refused(self, reason, client, method, params):
        with self.assertRaises(Refused) as got:
            client.call(method, params)
        self.assertEqual(got.exception.reason, reason)

    def sign(self, client, **more):
        return client.call("signature.create", {"certificate": self.cert,
                                                "format": "cms-detached", **more})


class Large(Case):
    def large(self, client):
        # once around, so that what is only there because it is the first time does not count
        self.sign(client, dataId=client.put_data(self.file(MIB)))
        path = self.file(50 * MIB)
        pids = [self.world.ukeyd.pid, *self.world.helper_pids()]
        before = [memory(pid)[0] for pid in pids]
        one = client.put_data(path)
        during = [memory(pid)[0] for pid in pids]
        signed = self.sign(client, dataId=one)
        self.assertTrue(self.world.holds(base64.b64decode(signed["signature"]), path))
        grown = [a - b for a, b in zip(during, before)]
        print(f"grown by {grown} KiB", file=sys.stderr)
        if not SANITIZED:  # ASan keeps what is freed
            self.assertLess(max(grown), 4096)
        # it is used up
        self.refused("data-not-found", client, "signature.create",
                     {"certificate": self.cert, "format": "raw", "dataId": one})

    def test_local(self):
        self.large(self.local)

    def test_page(self):
        page = self.world.page(SITE)
        self.large(page)
        page.close()

    def test_command_line(self):
        path = self.file(5 * MIB + 7)
        out = self.world.path("out.p7s")
        self.world.run(os.path.join(PROGRAMS, "ukey"), "sign", "--certificate", self.cert, "--in",
                       path, "--out", out)
        with open(out, "rb") as f:
            self.assertTrue(self.world.holds(f.read(), path))
        # standard input, whose size nobody knows beforehand
        with open(path, "rb") as f:
            self.world.run(os.path.join(PROGRAMS, "ukey"), "sign", "--certificate", self.cert,
                           "--in", "-", "--out", out, data=f.read())
        with open(out, "rb") as f:
            self.assertTrue(self.world.holds(f.read(), path))
        # the most that goes in one message
        self.world.run(os.path.join(PROGRAMS, "ukey"), "sign", "--certificate", self.cert, "--in",
                       self.file(256 * 1024), "--format", "cms-attached", "--out", out)
        path = self.file(256 * 1024 + 1)
        done = subprocess.run(
            [os.path.join(PROGRAMS, "ukey"), "sign", "--certificate", self.cert, "--in", path,
             "--format", "cms-attached"], env=self.world.env, capture_output=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"data-too-large-to-attach", done.stderr)

    def test_raw(self):
        path = self.file(MIB)
        signed = self.sign(self.local, dataId=self.local.put_data(path, 1000), format="raw")
        with open(path, "rb") as f:
            again = self.local.call("signature.create", {
                "certificate": self.cert, "format": "raw",
                "dataId": self.local.put_data(path)})
        self.assertEqual(len(base64.b64decode(signed["signature"])), 64)
        self.assertEqual(len(base64.b64decode(again["signature"])), 64)


class Refusals(Case):
    def test_states(self):
        put = lambda **p: self.local.call("data.put", p)
        one = put(chunk=b64(b"abc"))["data"]
        want = {"certificate": self.cert, "format": "raw"}
        self.refused("data-incomplete", self.local, "signature.create", {**want, "dataId": one})
        self.assertEqual(put(data=one, chunk="", last=True)["received"], 3)
        self.refused("data-complete", self.local, "data.put", {"data": one, "chunk": ""})
        self.refused("data-too-large-to-attach", self.local, "signature.create",
                     {**want, "format": "cms-attached", "dataId": one})
        self.refused("invalid-input", self.local, "signature.create",
                     {**want, "dataId": one, "data": ""})
        self.refused("missing", self.local, "signature.create", want)
        self.refused("data-not-found", self.local, "data.put", {"data": "zz", "chunk": ""})
        self.refused("data-not-found", self.local, "data.get",
                     {"data": one, "offset": 0, "length": 1})
        self.refused("wrong-length", self.local, "data.put", {"chunk": b64(bytes(256 * 1024 + 1))})
        # nobody else's
        other = self.world.local()
        self.refused("data-not-found", other, "signature.create", {**want, "dataId": one})
        other.close()
        self.sign(self.local, dataId=one)

    def test_login_challenge(self):
        """[H4] however it is cut"""
        challenge = b"ukey-login-1\0and so on"
        for cut in (1, 5, 12, len(challenge)):
            one = self.local.call("data.put", {"chunk": b64(challenge[:cut])})["data"]
            self.local.call("data.put", {"data": one, "chunk": b64(challenge[cut:]), "last": True})
            self.refused("login-challenge-refused", self.local, "signature.create",
                         {"certificate": self.cert, "format": "raw", "dataId": one})
            self.refused("login-challenge-refused", self.local, "signature.batch",
                         {"certificate": self.cert, "format": "raw", "items": [{"dataId": one}]})

    def test_too_many(self):
        client = self.world.local()
        for _ in range(16):
            client.call("data.put", {"chunk": ""})
        self.refused("too-many-data", client, "data.put", {"chunk": ""})
        client.close()
        client = self.world.local()
        client.call("data.put", {"chunk": ""})
        client.close()

    def test_site(self):
        page = self.world.page("https://other.example")
        self.refused("site-not-allowed", page, "data.put", {"chunk": ""})
        self.refused("site-not-allowed", page, "signature.batch",
                     {"certificate": self.cert, "format": "raw", "items": [{"data": ""}]})
        page.close()


class Slow(Case):
    def test_takes_nothing(self):
        """Far less waits than ukeyd would keep, but the page takes none of it: closed, and soon."""
        page = self.world.page(SITE)
        for _ in range(4000):
            page.send("agent.goodbye")
        with self.assertRaises(ConnectionError):
            for _ in range(300):
                page.send("agent.goodbye")
                time.sleep(0.1)
        page.close()
        self.local.call("agent.hello")


class Batch(Case):
    def items(self, n):
        return [{"data": b64(f"item {i}".encode())} for i in range(n)]

    def batch(self, client, items, form="raw"):
        return client.call("signature.batch", {"certificate": self.cert, "format": form,
                                               "items": items})

    def check(self, client, n, result):
        path = self.world.path("item")
        self.assertEqual(result["done"], n)
        signatures = result.get("signatures")
        if signatures is None:
            text, last = b"", False
            while not last:
                part = client.call("data.get", {"data": result["signaturesData"]["data"],
                                                "offset": len(text), "length": 200000})
                text, last = text + base64.b64decode(part["chunk"]), part["last"]
            self.assertEqual(len(text), result["signaturesData"]["size"])
            signatures = json.loads(text)
        self.assertEqual(len(signatures), n)
        for i in (0, n // 2, n - 1):
            with open(path, "wb") as f:
                f.write(f"item {i}".encode())
            self.assertTrue(self.world.holds(base64.b64decode(signatures[i]), path), i)

    def test_thousand(self):
        local = self.world.local()
        self.check(local, 1000, self.batch(local, self.items(1000), "cms-detached"))
        done = [n["params"] for n in local.notes if n["method"] == "signature.progress"]
        self.assertGreaterEqual(len(done), 10)
        self.assertEqual([d["done"] for d in done], sorted(d["done"] for d in done))
        self.assertTrue(all(d["of"] == 1000 and d["id"] == 1 for d in done))
        local.close()
        lines = json.loads(self.world.run(os.path.join(PROGRAMS, "ukey"), "journal", "--json"))
        self.assertGreater(lines["lines"], 1000)

    def test_page(self):
        """One consent that says how many."""
        page = self.world.page(SITE)
        self.check(page, 40, self.batch(page, self.items(40), "cms-detached"))
        self.assertIn("用途：批量签名，共 40 份", self.world.shown())
        self.world.answer("!cancel")
        page.close()

    def test_by_id(self):
        for name in ("a", "b"):
            self.world.write(name, name * 100000)
        ids = [self.local.put_data(self.world.path(n)) for n in ("a", "b")]
        result = self.batch(self.local, [{"dataId": i} for i in ids], "cms-detached")
        for signature, name in zip(result["signatures"], ("a", "b")):
            self.assertTrue(self.world.holds(base64.b64decode(signature), self.world.path(name)))

    def test_refused(self):
        ask = {"certificate": self.cert, "format": "raw", "items": self.items(1)}
        for items in ([], self.items(1001), [1], [{}], [{"data": "", "dataId": "1"}],
                      [{"data": "", "more": 1}]):
            with self.assertRaises(Refused) as got:
                self.local.call("signature.batch", {**ask, "items": items})
            self.assertEqual(got.exception.error["code"], -32602, items)
        self.refused("data-not-found", self.local, "signature.batch",
                     {**ask, "items": [{"dataId": "zz"}]})
        self.refused("certificate-not-found", self.local, "signature.batch",
                     {**ask, "certificate": "0" * 64})

    def test_stops(self):
        """The key goes in the middle: what was done, and one reason."""
        self.world.write("rules", "C_Sign:30=CKR_DEVICE_ERROR\n")
        result = self.batch(self.local, self.items(100), "cms-detached")
        self.check(self.local, 29, {k: v for k, v in result.items() if k != "stopped"})
        reason = result["stopped"]["data"]["reason"]
        with open(self.world.path("ukey/journal.jsonl"), encoding="utf-8") as f:
            last = json.loads(f.readlines()[-1])
        self.assertEqual((last["method"], last["result"]), ("signature.batch", reason))
        self.world.write("rules", "C_Sign:1=CKR_DEVICE_ERROR\n")
        with self.assertRaises(Refused):
            self.batch(self.local, self.items(100))
        self.world.write("rules", "")
        token = self.local.call("token.list")["tokens"][0]["id"]
        self.world.answer(PIN)
        self.local.call("token.login", {"token": token})
        self.check(self.local, 3, self.batch(self.local, self.items(3), "cms-detached"))

    def test_asker_leaves(self):
        client = self.world.local()
        client.send("signature.batch", {"certificate": self.cert, "format": "raw",
                                        "items": self.items(1000)})
        client.close()
        self.check(self.local, 3, self.batch(self.local, self.items(3), "cms-detached"))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
