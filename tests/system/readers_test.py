#!/usr/bin/env python3
"""A real pcscd, a virtual reader (vsmartcard's vpcd), a virtual PIV card, OpenSC, ukeyd.
readers_test.py PROGRAMS

In a network and a /run of its own, so that a pcscd of this machine neither sees it nor is seen; where
that is not allowed, it says so and ends with 77."""

import base64
import glob
import json
import os
import select
import subprocess
import sys
import time
import unittest

from daemon_world import PIN, ROOT, Refused, World, b64

ALONE = "UKEY_TEST_ALONE"
SOON = 2.0  # seconds, from the card's move to the page
PROGRAMS = sys.argv[1]


def found(*patterns):
    return next((path for pattern in patterns for path in sorted(glob.glob(pattern))), None)


OPENSC = found("/usr/lib/*/opensc-pkcs11.so", "/usr/lib64/opensc-pkcs11.so")
DRIVER = found("/usr/lib/pcsc/drivers/serial/libifdvpcd.so", "/usr/lib64/pcsc/drivers/serial/libifdvpcd.so")


def skip(why):
    print(f"SKIPPED: {why}", file=sys.stderr)
    sys.exit(77)


def go_alone():
    """This program once more, with namespaces of its own."""
    for how in (["unshare", "--mount", "--net"], ["unshare", "--user", "--map-root-user", "--mount", "--net"]):
        if subprocess.run([*how, "true"], capture_output=True, check=False).returncode == 0:
            os.environ[ALONE] = "1"
            os.execvp(how[0], [*how, sys.executable, "-B", *sys.argv])
    skip("no namespaces may be made here (unshare): a pcscd of its own needs one")


def settle_in():
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
    os.mkdir("/run/pcscd")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def site(name):
    """Each test is a site of its own: they may show 30 windows a minute."""
    return f"https://{name.replace('_', '-')}.example"


class Service:
    """pcscd with a reader that nobody can touch."""

    def __init__(self, folder):
        self.folder = os.path.join(folder, "readers")
        self.process = None
        os.mkdir(self.folder)
        with open(os.path.join(self.folder, "vpcd"), "w", encoding="ascii") as f:
            f.write('FRIENDLYNAME "Virtual PCD"\nDEVICENAME /dev/null:0x8C7B\n'
                    f"LIBPATH {DRIVER}\nCHANNELID 0x8C7B\n")

    def start(self):
        self.process = subprocess.Popen(["pcscd", "--foreground", "-c", self.folder],
                                        stdout=subprocess.DEVNULL)
        end = time.monotonic() + 10
        while not os.path.exists("/run/pcscd/pcscd.comm"):
            assert time.monotonic() < end and self.process.poll() is None, "pcscd does not start"
            time.sleep(0.02)

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(20)
        self.process = None


class Card:
    def __init__(self, folder):
        self.process = subprocess.Popen([os.path.join(ROOT, "tests/fake/pivcard"), folder],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.says("in")

    def says(self, word):
        ready = select.select([self.process.stdout], [], [], 15)[0]
        assert ready and self.process.stdout.readline() == word + "\n", word

    def do(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        self.says("done")

    def end(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        names = unittest.defaultTestLoader.getTestCaseNames(cls)
        cls.world = World(PROGRAMS, {"sites": {"allow": [site(n) for n in names]},
                                     "consent": "session"}, OPENSC)
        cls.world.env["HOME"] = cls.world.dir
        cls.make_card()
        cls.service = Service(cls.world.dir)
        cls.card = None
        cls.world.start().close()

    @classmethod
    def tearDownClass(cls):
        try:
            cls.world.end()
        finally:
            if cls.card:
                cls.card.end()
            cls.service.stop()

    @classmethod
    def make_card(cls):
        w = cls.world
        os.mkdir(w.path("card"))
        w.run("openssl", "genrsa", "-out", w.path("card/key.pem"), "2048")
        w.run("openssl", "rsa", "-in", w.path("card/key.pem"), "-traditional", "-outform", "DER",
              "-out", w.path("card/key.der"))
        der = w.issue(w.run("openssl", "req", "-new", "-key", w.path("card/key.pem"), "-outform",
                            "DER", "-subj", "/CN=Card Holder"))
        with open(w.path("card/cert.der"), "wb") as f:
            f.write(der)
        w.run("openssl", "x509", "-inform", "DER", "-in", w.path("card/cert.der"), "-pubkey",
              "-noout", "-out", w.path("card/public.pem"))

    def setUp(self):
        if not self.service.process:
            self.service.start()
        if not self.card:
            type(self).card = Card(self.world.path("card"))
        self.card.do("insert")
        self.world.answer("")
        self.page = self.world.page(site(self._testMethodName))
        self.addCleanup(self.page.close)
        self.page.call("token.watch")
        self.token = self.wait_for_token()

    def wait_for_token(self):
        end = time.monotonic() + 20
        while True:
            tokens = self.page.call("token.list")["tokens"]
            if tokens:
                self.page.notes.clear()
                return tokens[0]["id"]
            self.assertLess(time.monotonic(), end, "no card")
            time.sleep(0.1)

    def note(self, event, within=SOON):
        """The next notification of that event, and no later."""
        end = time.monotonic() + within
        while True:
            for n in self.page.notes:
                if n["method"] == "token.changed" and n["params"]["event"] == event:
                    self.page.notes.clear()
                    return n["params"]["token"]
            left = end - time.monotonic()
            self.assertGreater(left, 0, f"not {event} within {within} s")
            if select.select([self.page.socket], [], [], left)[0]:
                message = json.loads(self.page.get())
                self.assertIn("method", message)
                self.page.notes.append(message)

    def certificate(self):
        found = self.page.call("certificate.list")["certificates"]
        self.assertEqual([c["commonName"] for c in found], ["Card Holder"])
        self.assertTrue(found[0]["hasKey"])
        return found[0]["id"]

    def log_in(self):
        self.world.answer(PIN)
        self.page.call("token.login", {"token": self.token})
        self.world.answer("")

    def ask(self):
        return {"certificate": self.certificate(), "data": b64(b"data"), "format": "raw"}

    def sign(self):
        """Logged in, signed, verified by openssl."""
        self.log_in()
        signature = self.page.call("signature.create", self.ask())["signature"]
        with open(self.world.path("signature"), "wb") as f:
            f.write(base64.b64decode(signature))
        self.world.write("data", "data")
        self.world.run("openssl", "dgst", "-sha256", "-verify", self.world.path("card/public.pem"),
                       "-signature", self.world.path("signature"), self.world.path("data"))

    def settled(self):
        """One helper, and it answers."""
        self.page.call("token.list")
        self.assertEqual(len(self.world.helper_pids()), 1)

    def test_card(self):
        """[H1] Out and in again, and the page is told each time."""
        self.sign()
        helper = self.world.helper_pids()
        for _ in range(3):
            self.card.do("pull")
            self.assertEqual(self.note("removed")["id"], self.token)
            self.assertEqual(self.page.call("token.list")["tokens"], [])
            self.card.do("insert")
            self.assertEqual(self.note("inserted")["id"], self.token)
        self.assertFalse(self.page.call("token.list")["tokens"][0]["loggedIn"])
        self.assertEqual(self.world.helper_pids(), helper)
        self.sign()

    def test_quick(self):
        """Out and in within the time in which pcscd looks: the log-in does not outlast it."""
        self.sign()
        self.card.do("pull")
        time.sleep(0.6)
        self.card.do("insert")
        self.note("inserted", 4)
        self.assertFalse(self.page.call("token.list")["tokens"][0]["loggedIn"])
        self.sign()

    def test_service(self):
        """pcscd goes, and comes again; and again, with the card out in between."""
        self.sign()
        for _ in range(2):
            self.service.stop()
            self.assertEqual(self.note("removed")["id"], self.token)
            self.card.do("pull")
            self.service.start()
            self.card.do("insert")
            self.assertEqual(self.note("inserted", SOON + 1)["id"], self.token)
        self.sign()
        self.settled()

    def test_daemon_first(self):
        """ukeyd starts where there is no pcscd."""
        self.service.stop()
        self.world.stop()
        self.world.start().close()
        self.page.close()
        self.page = self.world.page(site(self._testMethodName))
        self.page.call("token.watch")
        self.assertEqual(self.page.call("token.list")["tokens"], [])
        self.card.do("pull")
        self.service.start()
        self.card.do("insert")
        self.assertEqual(self.note("inserted", SOON + 1)["id"], self.token)
        self.sign()

    def refused(self, seconds):
        """The signature under way ends for one of the reasons of a pulled card, in time."""
        began = time.monotonic()
        message = self.page.receive()
        self.assertLess(time.monotonic() - began, seconds)
        reason = message["error"]["data"]["reason"]
        self.assertIn(reason, ("token-removed", "token-not-found", "certificate-not-found"), message)
        return reason

    def test_pulled_in_signature(self):
        """The card has the command and never answers."""
        self.sign()
        self.card.do("hold")
        self.page.send("signature.create", self.ask())
        self.card.says("signing")
        self.card.do("pull")
        self.refused(4)
        self.note("removed")
        self.card.do("insert")
        self.note("inserted")
        self.settled()
        self.sign()

    def test_pulled_before_signature(self):
        """Pulled, and the signature comes before pcscd has seen it: OpenSC 0.23 deadlocks."""
        for delay in (0, 0.05, 0.05, 0.1, 0.2):
            self.sign()
            ask = self.ask()
            self.card.do("pull")
            time.sleep(delay)
            self.page.send("signature.create", ask)
            self.refused(4)
            self.card.do("insert")
            self.wait_for_token()
            self.settled()
        self.sign()

    def test_pulled_in_log_in(self):
        """And while the PIN is asked for."""
        self.page.call("token.logout", {"token": self.token})
        os.unlink(self.world.path("answers.log"))
        self.world.answer("!hang")
        self.page.send("token.login", {"token": self.token})
        while "GETPIN" not in (self.world.shown() if os.path.exists(self.world.path("answers.log"))
                               else ""):
            time.sleep(0.05)
        self.card.do("pull")
        self.refused(SOON)
        self.card.do("insert")
        self.note("inserted")
        self.sign()


if __name__ == "__main__":
    if not OPENSC or not DRIVER:
        skip("OpenSC (opensc-pkcs11) or vpcd (vsmartcard-vpcd) is not installed")
    if ALONE not in os.environ:
        go_alone()
    settle_in()
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]], verbosity=2)
