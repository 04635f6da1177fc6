#!/usr/bin/env python3
"""SM2 on a virtual UKEY, from the key to both certificates, with nothing of ours on the other side:
openssl is the CA, the key management and the judge; the CMS is read and made here, byte by byte.
sm2_test.py PROGRAMS SOFT-MODULE"""

import base64
import itertools
import os
import subprocess
import sys
import unittest

from daemon_world import PIN, Refused, World, b64

SITE = "https://ca.example"
PROGRAMS, MODULE = sys.argv[1], sys.argv[2]
ID = "distid:1234567812345678"
TEXT = "合同第1号\n".encode()
NEW_PIN = "739104"

GM = "1.2.156.10197.6.1.4.2."
RFC = "1.2.840.113549.1.7."
SM3 = "1.2.156.10197.1.401"


# --- DER ---

def tlv(tag, *parts):
    body = b"".join(parts)
    n = len(body)
    size = bytes([n]) if n < 128 else bytes([0x80 | (n.bit_length() + 7) // 8]) + \
        n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([tag]) + size + body


def oid(dotted):
    first, second, *rest = map(int, dotted.split("."))
    out = bytes([first * 40 + second])
    for n in rest:
        part = bytes([n & 127])
        while n := n >> 7:
            part = bytes([128 | n & 127]) + part
        out += part
    return tlv(6, out)


def elements(body):
    """[(tag, content, whole)]"""
    out = []
    at = 0
    while at < len(body):
        tag, n, head = body[at], body[at + 1], 2
        if n >= 128:
            head += n & 127
            n = int.from_bytes(body[at + 2:at + head], "big")
        assert at + head + n <= len(body)
        out.append((tag, body[at + head:at + head + n], body[at:at + head + n]))
        at += head + n
    return out


def inner(der, tag=0x30):
    (one,) = elements(der)
    assert one[0] == tag
    return elements(one[1])


class Sm2World(World):
    """A virtual UKEY instead of SoftHSM's token."""

    def __init__(self):
        super().__init__(PROGRAMS, {"sites": {"allow": [SITE]}, "consent": "session"},
                         {"path": MODULE, "kind": "skf"})
        self.env["UKEY_SOFT_DIR"] = self.path("soft")
        os.mkdir(self.path("soft"), 0o700)
        self.write("pin", PIN + "\n")
        self.write("admin", "12345678\n")
        self.ukey("soft", "create", "--label", "demo", "--serial", "0001", "--application", "DEMO",
                  "--pin-file", self.path("pin"), "--admin-pin-file", self.path("admin"), "one")
        self.ukey("soft", "insert", "one")
        self.key("ca")
        self.openssl("req", "-x509", "-new", "-key", self.path("ca.key"), "-sm3", "-sigopt", ID,
                     "-subj", "/CN=SM2 CA", "-days", "30", "-out", self.path("ca.pem"))

    def ukey(self, *args, data=None):
        return self.run(os.path.join(PROGRAMS, "ukey"), *args, data=data)

    def openssl(self, *args, data=None):
        return self.run("openssl", *args, data=data)

    def key(self, name):
        self.openssl("genpkey", "-algorithm", "SM2", "-out", self.path(name + ".key"))

    def issue(self, request, usage="digitalSignature,nonRepudiation"):
        self.write("ext", "basicConstraints=critical,CA:FALSE\n"
                          f"keyUsage=critical,{usage}\nsubjectKeyIdentifier=hash\n")
        return self.openssl("x509", "-req", "-inform", "DER", "-CA", self.path("ca.pem"), "-CAkey",
                            self.path("ca.key"), "-CAcreateserial", "-days", "20", "-sm3",
                            "-sigopt", ID, "-vfyopt", ID, "-extfile", self.path("ext"), "-outform",
                            "DER", data=request)

    def encryption_pair(self, name):
        """A pair that the key management made: (private key, point, certificate)."""
        self.key(name)
        request = self.openssl("req", "-new", "-key", self.path(name + ".key"), "-sm3", "-sigopt",
                               ID, "-subj", "/CN=加密", "-utf8", "-outform", "DER")
        spki = self.openssl("pkey", "-in", self.path(name + ".key"), "-pubout", "-outform", "DER")
        text = self.openssl("pkey", "-in", self.path(name + ".key"), "-text", "-noout").decode()
        private = bytes.fromhex(text.split("priv:")[1].split("pub:")[0]
                                .replace(":", "").replace("\n", "").replace(" ", ""))
        der = self.issue(request, "keyEncipherment,dataEncipherment,keyAgreement")
        return private.rjust(32, b"\0")[-32:], spki[-64:], der

    def encrypt(self, certificate, data):
        """An SM2Cipher, to the certificate's key."""
        self.write_bytes("to.der", certificate)
        pub = self.openssl("x509", "-inform", "DER", "-in", self.path("to.der"), "-pubkey",
                           "-noout")
        self.write_bytes("to.pub", pub)
        return self.openssl("pkeyutl", "-encrypt", "-pubin", "-inkey", self.path("to.pub"),
                            data=data)

    def enveloped_key(self, signing, private, point):
        """SM2EnvelopedKey of GM/T 0009 section 7.4, to the signing certificate's key."""
        kek = os.urandom(16)
        hidden = self.openssl("enc", "-sm4-ecb", "-K", kek.hex(), "-nopad", data=private)
        return tlv(0x30, tlv(0x30, oid("1.2.156.10197.1.104.1")), self.encrypt(signing, kek),
                   tlv(3, b"\0\x04" + point), tlv(3, b"\0" + hidden))

    def envelope(self, certificate, arc, text):
        key, iv = os.urandom(16), os.urandom(16)
        hidden = self.openssl("enc", "-sm4-cbc", "-K", key.hex(), "-iv", iv.hex(), data=text)
        fields = elements(inner(certificate)[0][1])
        fields = fields[1:] if fields[0][0] == 0xa0 else fields
        serial, issuer = fields[0][2], fields[2][2]
        receiver = tlv(0x30, tlv(2, b"\0"), tlv(0x30, issuer, serial),
                       tlv(0x30, oid("1.2.156.10197.1.301.3")),
                       tlv(4, self.encrypt(certificate, key)))
        content = tlv(0x30, oid(arc + "1"),
                      tlv(0x30, oid("1.2.156.10197.1.104.2"), tlv(4, iv)), tlv(0x80, hidden))
        return tlv(0x30, oid(arc + "3"),
                   tlv(0xa0, tlv(0x30, tlv(2, b"\0"), tlv(0x31, receiver), content)))

    def write_bytes(self, name, data):
        with open(self.path(name), "wb") as f:
            f.write(data)

    def holds(self, signature, data):
        """By openssl: an SM2 signature, DER, of the signing certificate over data."""
        self.write_bytes("sig", signature)
        done = subprocess.run(
            ["openssl", "dgst", "-sm3", "-sigopt", ID, "-verify", self.path("sign.pub"),
             "-signature", self.path("sig")], input=data, capture_output=True, check=False)
        return done.returncode == 0


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = w = Sm2World()
        cls.addClassCleanup(w.end)
        cls.local = w.start()
        cls.token = cls.local.call("token.list")["tokens"][0]
        w.answer(PIN, NEW_PIN, NEW_PIN)
        cls.local.call("token.login", {"token": cls.token["id"]})
        w.answer("")
        key = cls.local.call("key.generate", {"token": cls.token["id"], "algorithm": "sm2"})["key"]
        request = base64.b64decode(cls.local.call("request.create", {
            "token": cls.token["id"], "key": key, "subject": {"commonName": "张三"}})["request"])
        cls.signing = w.issue(request)
        w.write_bytes("sign.der", cls.signing)
        w.write_bytes("sign.pub", w.openssl("x509", "-inform", "DER", "-in", w.path("sign.der"),
                                            "-pubkey", "-noout"))
        private, point, cls.encryption = w.encryption_pair("encrypt")
        done = cls.local.call("certificate.install", {
            "token": cls.token["id"], "key": key, "certificate": b64(cls.signing),
            "encryption": {"certificate": b64(cls.encryption), "format": "gbt35276",
                           "envelopedKey": b64(w.enveloped_key(cls.signing, private, point))}})
        cls.sign_id, cls.encrypt_id = done["certificate"], done["encryptionCertificate"]

    @classmethod
    def tearDownClass(cls):
        cls.local.close()

    def refused(self, reason, method, params):
        with self.assertRaises(Refused) as got:
            self.local.call(method, params)
        self.assertEqual(got.exception.reason, reason)

    def sign(self, **more):
        answer = self.local.call("signature.create", {"certificate": self.sign_id, **more})
        self.assertEqual(answer["algorithm"], "SM2-SM3")
        self.assertEqual(base64.b64decode(answer["certificate"]), self.signing)
        return base64.b64decode(answer["signature"])


class Signatures(Case):
    def attributes(self, body, arc):
        """Of SignerInfo: as they were signed, and checked."""
        values = {}
        for _, content, _ in elements(body):
            kind, value = elements(content)
            values[kind[2]] = value[1]
        digest = self.world.openssl("dgst", "-sm3", "-binary", data=TEXT)
        self.assertEqual(values[oid("1.2.840.113549.1.9.3")], oid(arc + "1"))
        self.assertEqual(values[oid("1.2.840.113549.1.9.4")], tlv(4, digest))
        self.assertIn(oid("1.2.840.113549.1.9.5"), values)
        self.assertIn(oid("1.2.840.113549.1.9.16.2.47"), values)
        return tlv(0x31, body)

    def judge(self, der, arc, algorithm, attributes, attached):
        kind, data = inner(der)
        self.assertEqual(kind[2], oid(arc + "2"))
        _, digests, content, certificates, signers = inner(data[1])
        self.assertEqual(elements(digests[1])[0][1][:10], oid(SM3))
        content = elements(content[1])
        self.assertEqual(content[0][2], oid(arc + "1"))
        self.assertEqual([c[1] for c in content[1:]], [tlv(4, TEXT)] if attached else [])
        self.assertEqual(certificates[1], self.signing)
        signer = inner(signers[1])
        self.assertEqual(len(signer), 6 if attributes else 5)
        self.assertEqual(signer[-2][1], oid("1.2.156.10197.1." + algorithm))
        over = self.attributes(signer[3][1], arc) if attributes else TEXT
        self.assertTrue(self.world.holds(signer[-1][1], over))
        self.assertFalse(self.world.holds(signer[-1][1], over + b"x"))

    def test_every_profile(self):
        for arc, algorithm, attributes, form in itertools.product(
                ("gm", "rfc"), ("301.1", "501"), (False, True), ("cms-attached", "cms-detached")):
            with self.subTest(arc=arc, algorithm=algorithm, attributes=attributes, form=form):
                der = self.sign(data=b64(TEXT), format=form, profile={
                    "arc": arc, "signatureOid": algorithm, "attributes": attributes})
                self.judge(der, GM if arc == "gm" else RFC, algorithm, attributes,
                           form == "cms-attached")

    def test_default(self):
        self.judge(self.sign(data=b64(TEXT), format="cms-attached"), GM, "301.1", False, True)

    def test_raw_and_der(self):
        self.assertTrue(self.world.holds(self.sign(data=b64(TEXT), format="der"), TEXT))
        raw = self.sign(data=b64(TEXT), format="raw")
        self.assertEqual(len(raw), 64)
        der = tlv(0x30, *(tlv(2, n.to_bytes(n.bit_length() // 8 + 1, "big")) for n in
                          (int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))))
        self.assertTrue(self.world.holds(der, TEXT))

    def test_command_line(self):
        w = self.world
        data = os.urandom(600_000)
        w.write_bytes("file", data)
        w.ukey("sign", "--certificate", self.sign_id, "--in", w.path("file"), "--format", "der",
               "--out", w.path("out"))
        with open(w.path("out"), "rb") as f:
            self.assertTrue(w.holds(f.read(), data))
        der = w.ukey("sign", "--certificate", self.sign_id, "--in", "-", "--arc", "rfc",
                     "--signature-oid", "501", "--attributes", data=TEXT)
        self.judge(der, RFC, "501", True, False)

    def test_pieces_for_nobody(self):
        one = self.local.call("data.put", {"chunk": b64(TEXT), "last": True})["data"]
        self.refused("data-for-other-key", "signature.create", {
            "certificate": self.sign_id, "dataId": one, "format": "cms-detached"})
        der = self.sign(dataId=one, format="cms-detached", profile={"attributes": True})
        self.judge(der, GM, "301.1", True, False)

    def test_not_by_the_encryption_key(self):
        self.refused("certificate-not-for-signing", "signature.create", {
            "certificate": self.encrypt_id, "data": b64(TEXT), "format": "raw"})


class Envelopes(Case):
    def test_both_arcs(self):
        for arc in (GM, RFC):
            for text in (TEXT, b"", os.urandom(100_000)):
                der = self.world.envelope(self.encryption, arc, text)
                answer = self.local.call("envelope.open", {
                    "certificate": self.encrypt_id, "envelope": b64(der)})
                self.assertEqual(base64.b64decode(answer["data"]), text)
                self.assertEqual(answer["contentType"], arc + "1")

    def test_page(self):
        page = self.world.page(SITE)
        page.call("site.request")
        der = self.world.envelope(self.encryption, GM, TEXT)
        answer = page.call("envelope.open", {"certificate": self.encrypt_id, "envelope": b64(der)})
        self.assertEqual(base64.b64decode(answer["data"]), TEXT)
        self.assertIn("用途：解密", self.world.shown())
        page.close()

    def test_command_line(self):
        self.world.write_bytes("in", self.world.envelope(self.encryption, GM, TEXT))
        out = self.world.ukey("envelope", "open", "--certificate", self.encrypt_id, "--in",
                              self.world.path("in"))
        self.assertEqual(out, TEXT)

    def test_refusals(self):
        w = self.world
        der = w.envelope(self.encryption, GM, TEXT)
        self.refused("envelope-for-others", "envelope.open", {
            "certificate": self.encrypt_id, "envelope": b64(w.envelope(self.signing, GM, TEXT))})
        self.refused("certificate-not-for-encryption", "envelope.open", {
            "certificate": self.sign_id, "envelope": b64(der)})
        self.refused("envelope-malformed", "envelope.open", {
            "certificate": self.encrypt_id, "envelope": b64(der[:-1])})

    def test_hello(self):
        (one,) = self.local.call("agent.hello")["tokens"]
        self.assertEqual(one["id"], self.token["id"])
        self.assertIn("sm2", one["algorithms"])
        self.assertIn("encryption-key", one["can"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
