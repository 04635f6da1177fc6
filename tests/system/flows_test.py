#!/usr/bin/env python3
"""The server's side of every flow of the manual but the new unit certificate (server_test.py), by
its API: the real ukey-ca on SQLite, the real ukey-sandbox, a virtual clock.
flows_test.py BIN_DIR [unittest arguments]"""

import base64
import json
import os
import re
import struct
import sys
import time
import unittest

import server_test
from server_test import FORM, NEEDED, PHOTO, Case, Desk, Order, phone
from server_world import Browser, Key, b64, openssl, wait_until

DAY = 86400
PERSON = {
    "name": "王小明",
    "idNumber": "34052419800101001X",
    "phone": "13800000001",
    "email": "wang@example.com",
    "recipient": "王小明",
    "recipientPhone": "13800000001",
    "address": "福建省福州市鼓楼区一号",
    "invoiceType": "general",
    "photoConsent": True,
    "agreement": True,
}
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


def certificate_time(der, which):
    text = openssl("x509", "-inform", "DER", "-noout", "-" + which + "date", data=der).decode()
    return int(time.mktime(time.strptime(text.strip().split("=")[1], "%b %d %H:%M:%S %Y GMT"))) - time.timezone


class Customer(Order):
    """An order of any kind."""

    def __init__(self, test, kind, form, browser=None, **body):
        self.test, self.world = test, test.world
        self.browser = browser or Browser(self.world.ca_port)
        self.form, self.kind = form, kind
        self.take(self.browser.post("/api/orders", dict(body, kind=kind, form=form)), 201)
        self.path = "/api/orders/" + self.now["id"]

    @property
    def phone(self):
        return self.form.get("agentPhone") or self.form["phone"]

    def photos(self):
        for kind in self.now["documentsNeeded"]:
            self.take(self.browser.put("%s/documents/%s" % (self.path, kind), PHOTO, "image/png"))
        return self

    def ask_code(self):
        sent = len([m for m in self.world.messages(self.phone) if "签名" in m])
        answer = self.browser.post(self.path + "/signature/code")
        self.test.assertEqual(answer.status, 200, answer.body)
        return self.world.code(self.phone, "签名", sent)

    def edit(self, status=200, **change):
        self.form = dict(self.form, **change)
        answer = self.browser.put(self.path + "/form", {"version": self.now["version"], "form": self.form})
        return self.take(answer) if status == 200 else answer


class Owner:
    """A customer with a key: the key file stands in for the token."""

    def __init__(self, test, unit=True, **form):
        self.test, self.world, self.unit = test, test.world, unit
        COUNT[0] += 1
        self.token = "T%07d" % COUNT[0]
        self.key = Key(os.path.join(self.world.dir, "key-%s" % self.token))
        if unit:
            self.form = dict(FORM, agentPhone=phone(), creditCode=credit_code(), **form)
            self.number = self.form["creditCode"]
        else:
            self.form = dict(PERSON, phone=phone(), idNumber=id_number(), **form)
            self.number = self.form["idNumber"]
        self.order = Customer(test, "unit-new" if unit else "person-new", self.form)
        self.order.to_documents().photos().step("submit").sign()
        self.world.cashier(self.order.pay_url())
        self.order.until("review")
        test.do(test.reviewer, self.order, "approve", {"version": None})
        self.order.until("production")
        self.make(self.order, self.key)

    def make(self, order, key):
        """The desk: claim, ticket, request, proof, shipment."""
        test = self.test
        test.do(test.producer, order, "claim", {"version": None})
        answer = test.ask_ticket(order)
        test.assertEqual(answer.status, 200, answer.body)
        test.do(test.producer, order, "request", {"token": self.token, "request": b64(key.request())})
        order.until("proving")
        detail = test.detail(test.producer, order)
        test.do(test.producer, order, "proof", {
            "signature": key.login(self.world.origin, detail["challenge"]), "certificate": detail["certificateDer"]})
        test.do(test.producer, order, "shipment", {"version": None, "carrier": "顺丰速运", "tracking": "SF12345678"})
        self.certificate = base64.b64decode(detail["certificateDer"])
        self.serial = order.refresh().now["certificate"]["serial"]
        self.ends = order.now["certificate"]["notAfter"]

    def login(self, browser=None, key=None, certificate=None, origin=None):
        browser = browser or Browser(self.world.ca_port)
        c = browser.post("/api/key/challenge").json
        self.test.assertEqual(c["audience"], "ukey-key")
        answer = browser.post("/api/key/login", {
            "nonce": c["nonce"], "certificate": b64(certificate or self.certificate),
            "signature": (key or self.key).login(origin or self.world.origin, c)})
        answer.browser, answer.challenge = browser, c
        return answer

    def enter(self):
        answer = self.login()
        self.test.assertEqual(answer.status, 200, answer.body)
        return answer.browser

    def prefill(self, browser, **change):
        form = dict(browser.get("/api/key").json["form"], agreement=True, **change)
        return form

    def query(self):
        browser = Browser(self.world.ca_port)
        ask = {"kind": "unit" if self.unit else "person", "number": self.number}
        owner = self.form.get("agentPhone") or self.form["phone"]
        sent = len([m for m in self.world.messages(owner) if "查询" in m])
        self.test.assertEqual(browser.post("/api/query/code", ask).status, 200)
        answer = browser.post("/api/query", dict(ask, code=self.world.code(owner, "查询", sent)))
        self.test.assertEqual(answer.status, 200, answer.body)
        browser.found = answer.json
        return browser


class Flow(Desk):
    """The desks of server_test.Desk, without its tests."""

    def setUp(self):
        self.world.clock(0)

    def tearDown(self):
        self.world.clock(0)
        super().tearDown()

    def at(self, moment):
        """Set the CA's clock to that moment."""
        self.world.clock(int(moment - time.time()))

    def renewal(self, owner, browser=None, kind=None, **change):
        browser = browser or owner.enter()
        kind = kind or ("unit-renewal" if owner.unit else "person-renewal")
        return Customer(self, kind, owner.prefill(browser, **change), browser, certificate=owner.serial)

    def request(self, order, owner, key, token=None):
        return order.browser.post(order.path + "/request", {
            "token": token or owner.token, "request": b64(key if isinstance(key, bytes) else key.request())})

    def proof(self, order, key, download=None):
        d = download or order.now["download"]
        return order.browser.post(order.path + "/proof", {
            "signature": key.login(self.world.origin, d["challenge"]), "certificate": d["certificate"]})

    def load(self, order, owner):
        """Key pair, request, certificate, proof: what the page does with the key in."""
        key = Key(os.path.join(self.world.dir, "new-" + order.now["id"]))
        order.take(self.request(order, owner, key)).until("installing")
        order.take(self.proof(order, key))
        self.assertEqual(order.now["state"], "done")
        return key

    def issued(self, order):
        with self.world.database() as db:
            return db.execute("SELECT COUNT(*) FROM certificates WHERE order_id = ? AND issued_at > 0",
                              (order.now["id"],)).fetchone()[0]

    def status(self, serial):
        with self.world.database() as db:
            revoked, suspended = db.execute(
                "SELECT revoked_at, suspended_at FROM certificates WHERE serial = ?", (serial,)).fetchone()
        return "revoked" if revoked else "suspended" if suspended else "valid"


for name in [n for n in dir(Desk) if n.startswith("test_")]:
    setattr(Flow, name, None)


class Person(Flow):
    def test_whole(self):
        """[P1-P9, C2, C3] from the form to the posted key; the password to the person's own phone"""
        owner = Owner(self, unit=False)
        self.assertEqual(owner.order.now["state"], "done")
        subject = owner.order.now["certificate"]["subject"]
        self.assertIn("王小明", subject)
        self.assertTrue(any("证书密码" in m for m in self.world.messages("13700000001")))
        # who makes keys reads no identity numbers
        self.assertNotIn(owner.number, str(self.detail(self.producer, owner.order)))
        self.assertEqual(self.detail(self.reviewer, owner.order)["form"], owner.form)

    def test_ways(self):
        """[P3, C2] two ways; an account is a unit's"""
        order = Customer(self, "person-new", dict(PERSON, phone=phone(), idNumber=id_number()))
        self.assertEqual(order.now["documentsNeeded"], ["holder-front", "holder-back"])
        answer = order.browser.post(order.path + "/identity",
                                    {"method": "account", "account": "350000000001", "bank": "工商银行"})
        self.refused(answer, 400, "invalid-input", "method")
        order.identity({"method": "mobile", "phone": "13700000002"})
        self.assertEqual((order.now["identity"]["status"], order.now["identity"]["reason"]), ("failed", "mismatch"))
        order.identity({"method": "bank-card", "card": "6222020000000001", "phone": "13700000001"}).until("confirm")
        # [P4, C5] back with everything kept; another name is proved anew
        order.edit(address="福建省福州市鼓楼区二号")
        self.assertEqual(order.now["state"], "confirm")
        order.edit(name="王大明")
        self.assertEqual((order.now["state"], order.now["identity"]["status"]), ("identity", "none"))

    def test_query(self):
        """[Q1, Q2, Q3] by identity number; a unit's question does not find it"""
        owner = Owner(self, unit=False)
        browser = owner.query()
        self.assertEqual([o["id"] for o in browser.found["orders"]], [owner.order.now["id"]])
        mine = browser.found["certificates"]
        self.assertEqual([(c["serial"], c["status"], c["kind"]) for c in mine], [(owner.serial, "valid", "person")])
        self.assertEqual(mine[0]["replacement"]["possible"], True)
        self.assertEqual(mine[0]["replacement"]["notAfter"], owner.ends)
        # asked for as a unit's, the number is nobody's: the same answer, and no code
        self.world.clock(61)
        sent = len(self.world.messages(owner.form["phone"]))
        asked = Browser(self.world.ca_port).post("/api/query/code", {"kind": "unit", "number": owner.number})
        self.assertEqual(asked.json, {"sent": True})
        self.assertEqual(len(self.world.messages(owner.form["phone"])), sent)


class KeyLogin(Flow):
    def test_login(self):
        """[R6, V1] the certificate's name by itself, what is possible, the old data"""
        owner = Owner(self)
        answer = owner.login()
        key = answer.json
        self.assertEqual((key["certificate"]["name"], key["certificate"]["kind"], key["certificate"]["status"]),
                         (owner.form["organisation"], "unit", "valid"))
        self.assertEqual(key["certificate"]["serial"], owner.serial)
        self.assertEqual((key["renewal"]["possible"], key["renewal"]["reason"]), (False, "too-early"))
        self.assertEqual((key["renewal"]["from"] + 8 * 3600) % DAY, 0)
        self.assertEqual((key["change"]["possible"], key["change"]["notAfter"], key["change"]["payment"]),
                         (True, owner.ends, 0))
        self.assertNotIn("agreement", key["form"])
        self.assertEqual(key["form"]["creditCode"], owner.number)
        self.assertEqual(key["orders"], [])
        self.assertEqual(answer.browser.get("/api/key").json, key)
        self.assertEqual(answer.browser.post("/api/key/logout").status, 200)
        self.refused(answer.browser.get("/api/key"), 401, "login-required")

    def test_refused(self):
        """[R6] another key, another origin, a challenge twice or too old, a certificate of the staff or of nobody"""
        owner, other = Owner(self), Key(os.path.join(self.world.dir, "other.key"))
        self.refused(owner.login(key=other), 401, "login-refused")
        self.refused(owner.login(origin="http://evil.example"), 401, "login-refused")
        self.refused(owner.login(key=self.reviewer.key, certificate=self.reviewer.certificate), 401, "login-refused")
        foreign = openssl("req", "-x509", "-new", "-key", other.path, "-subj", "/CN=x", "-days", "9", "-outform", "DER")
        self.refused(owner.login(key=other, certificate=foreign), 401, "login-refused")
        good = owner.login()
        again = good.browser.post("/api/key/login", {
            "nonce": good.challenge["nonce"], "certificate": b64(owner.certificate),
            "signature": owner.key.login(self.world.origin, good.challenge)})
        self.refused(again, 401, "login-refused")
        browser = Browser(self.world.ca_port)
        for purpose, path in (("staff", "/api/staff/challenge"), ("key", "/api/key/challenge")):
            c = browser.post(path).json
            self.world.clock(121 if purpose == "key" else 0)
            self.refused(browser.post("/api/key/login", {
                "nonce": c["nonce"], "certificate": b64(owner.certificate),
                "signature": owner.key.login(self.world.origin, c)}), 401, "login-refused")
        self.world.clock(0)
        # half an hour without a request ends it [C13: the order goes on all the same]
        self.world.clock(1801)
        self.refused(good.browser.get("/api/key"), 401, "login-required")

    def test_stopped(self):
        """[C14] a suspended or revoked key still says what it is, and no more"""
        owner = Owner(self)
        browser = owner.enter()
        path = "/api/certificates/%s" % owner.serial
        self.assertEqual(browser.post(path + "/suspend").json["status"], "suspended")
        key = browser.get("/api/key").json
        self.assertEqual((key["certificate"]["status"], key["form"]), ("suspended", {}))
        self.assertEqual((key["renewal"]["reason"], key["change"]["reason"]), ("suspended", "suspended"))
        self.assertEqual(browser.post(path + "/suspend").status, 200)
        self.assertEqual(browser.post(path + "/resume").json["status"], "valid")
        self.refused(browser.post(path + "/revoke", {"reason": "hold"}), 400, "invalid-input", "reason")
        self.assertEqual(browser.post(path + "/revoke", {"reason": "cessation-of-operation"}).json["status"], "revoked")
        self.refused(browser.post(path + "/resume"), 409, "certificate-revoked")
        self.assertEqual(browser.get("/api/key").json["renewal"]["reason"], "revoked")
        self.assertTrue(wait_until(lambda: self.on_list(owner.serial), 30))


class Renewal(Flow):
    def test_in_time(self):
        """[R1, R2, R7, R9] unchanged data: pay, download at once, one year after the old end"""
        for unit in (True, False):
            owner = Owner(self, unit)
            self.at(owner.ends - 95 * DAY)
            early = owner.enter()
            form = owner.prefill(early)
            refused = early.post("/api/orders", {"kind": "unit-renewal" if unit else "person-renewal",
                                                 "form": form, "certificate": owner.serial})
            self.refused(refused, 409, "too-early")
            self.assertEqual(early.get("/api/key").json["renewal"]["reason"], "too-early")
            self.at(owner.ends - 60 * DAY)
            order = self.renewal(owner)
            self.assertEqual((order.now["state"], order.now["needs"]), ("confirm", ["payment"]))
            self.assertEqual((order.now["about"]["serial"], order.now["about"]["notAfter"]), (owner.serial, owner.ends))
            self.assertEqual(order.step("confirm").now["state"], "payment")
            self.assertEqual(order.now["payment"]["amount"], 20000 if unit else 10000)
            self.refused(self.request(order, owner, owner.key), 409, "conflict")
            self.world.cashier(order.pay_url())
            order.until("download")
            self.assertIn("request", order.now["actions"])
            self.load(order, owner)
            ends = order.now["certificate"]["notAfter"]
            self.assertEqual(ends, self.a_year_later(owner.ends))
            # a renewed certificate is not revoked, and not renewed once more
            self.assertEqual(self.status(owner.serial), "valid")
            self.assertEqual(owner.enter().get("/api/key").json["renewal"]["reason"], "renewed")
            self.assertEqual(self.issued(order), 1)
            wait_until(lambda: any("更新后的证书" in m for m in self.world.messages(order.phone)))

    def a_year_later(self, t):
        was = time.gmtime(t + 8 * 3600)
        day = (was.tm_mon, was.tm_mday)
        month, mday = (3, 1) if day == (2, 29) else day
        import calendar
        return calendar.timegm((was.tm_year + 1, month, mday, was.tm_hour, was.tm_min, was.tm_sec)) - 8 * 3600

    def test_expired(self):
        """[R1, R3] expired: one year from the download, not from the order"""
        owner = Owner(self)
        self.at(owner.ends + 10 * DAY)
        browser = owner.enter()
        self.assertEqual(browser.get("/api/key").json["certificate"]["status"], "expired")
        self.assertEqual(browser.get("/api/key").json["renewal"]["basis"], "R3")
        self.assertEqual(browser.get("/api/key").json["change"]["reason"], "expired")
        order = self.renewal(owner, browser).step("confirm")
        self.world.cashier(order.pay_url())
        order.until("download")
        self.at(owner.ends + 15 * DAY)
        order.browser = owner.enter()
        self.load(order, owner)
        starts, ends = order.now["certificate"]["notBefore"], order.now["certificate"]["notAfter"]
        self.assertLess(abs(starts - owner.ends - 15 * DAY), 120)
        self.assertEqual(ends, self.a_year_later(starts))

    def test_long_expired(self):
        """[R8] more than 365 days: as for a new one, and downloaded only after the approval"""
        owner = Owner(self)
        self.at(owner.ends + 366 * DAY)
        order = self.renewal(owner, photoConsent=True)
        self.assertEqual(order.now["needs"], ["identity", "documents", "signature", "payment", "review"])
        self.assertEqual((order.now["state"], order.now["documentsNeeded"]), ("identity", NEEDED))
        order.to_documents().photos().step("submit").sign()
        self.world.cashier(order.pay_url())
        order.until("review")
        self.refused(self.request(order, owner, owner.key), 409, "conflict")
        self.login_staff()
        self.do(self.reviewer, order, "reject", {"version": None, "reason": "document-unclear", "note": "不清楚"})
        order.refresh().photos().step("submit")
        self.world.clock(int(owner.ends + 366 * DAY + 90 - time.time()))
        order.sign()
        self.assertEqual(order.now["state"], "review")  # corrected without paying again
        self.do(self.reviewer, order, "approve", {"version": None})
        order.until("download")
        wait_until(lambda: any("下载证书" in m for m in self.world.messages(order.phone)))
        self.load(order, owner)
        self.assertGreater(order.now["certificate"]["notAfter"], owner.ends + 2 * 365 * DAY)

    def login_staff(self):
        """Their certificates run a year, too: new ones for a new year."""
        cls = type(self)
        cls.reviewer = self.world.staff("审核员二", "reviewer")
        self.assertEqual(cls.reviewer.login().status, 200)

    def test_resume(self):
        """[R5] the same request, the same answer; another key, another request, another certificate: refused"""
        owner, other = Owner(self), Owner(self)
        self.at(owner.ends - 30 * DAY)
        order = self.renewal(owner).step("confirm")
        self.world.cashier(order.pay_url())
        order.until("download")
        key = Key(os.path.join(self.world.dir, "resume.key"))
        # a page without the key, with another, with a token that it is not on
        without = owner.query()
        self.refused(without.post(order.path + "/request", {"token": owner.token, "request": b64(key.request())}),
                     403, "other-key")
        self.assertEqual(other.enter().post(order.path + "/request", {
            "token": other.token, "request": b64(key.request())}).status, 404)
        self.refused(self.request(order, owner, key, "T9999999"), 403, "other-key")
        self.refused(self.request(order, owner, b"\x30\x00"), 400, "request-malformed")
        csr = key.request()
        order.take(self.request(order, owner, csr))
        order.take(self.request(order, owner, csr)).until("installing")
        first = order.now["download"]
        self.assertEqual(order.take(self.request(order, owner, csr)).now["download"]["certificate"], first["certificate"])
        self.refused(self.request(order, owner, Key(os.path.join(self.world.dir, "second.key"))), 409, "request-exists")
        self.assertEqual(base64.b64decode(first["publicKey"])[-64:], key.x + key.y)
        self.assertEqual(self.issued(order), 1)
        # from another browser, by the key's own order list [Q2]
        again = owner.login().json["orders"]
        self.assertEqual([o["id"] for o in again], [order.now["id"]])
        # a proof by another key, over another challenge, for another certificate
        self.refused(self.proof(order, owner.key), 400, "proof-refused")
        self.refused(self.proof(order, key, dict(first, certificate=b64(owner.certificate))), 400, "proof-refused")
        wrong = dict(first, challenge=dict(first["challenge"], nonce="0" * 64))
        self.refused(self.proof(order, key, wrong), 400, "proof-refused")
        # stale: what the page saw before
        self.refused(order.browser.post(order.path + "/cancel", {"version": 1}), 409, "version")
        last = order.refresh().now["download"]
        order.take(self.proof(order, key))
        self.assertEqual(order.now["state"], "done")
        self.assertEqual(order.take(self.proof(order, key, last)).now["state"], "done")
        self.refused(self.request(order, owner, csr), 409, "conflict")
        self.assertEqual(self.issued(order), 1)

    def test_killed_between(self):
        """[R5] ukey-ca killed before and after each step: one payment, one certificate"""
        owner = Owner(self)
        self.at(owner.ends - 30 * DAY)
        order = self.renewal(owner)

        def killed():
            self.world.kill_ca()
            self.world.start_ca()

        killed()
        order.step("confirm")
        page = self.world.cashier(order.pay_url(), action=None)
        killed()
        self.world.press(page)
        order.take(order.browser.post(order.path + "/payment/check"))
        self.assertEqual(order.now["state"], "download")
        killed()
        key = Key(os.path.join(self.world.dir, "killed.key"))
        csr = key.request()
        self.request(order, owner, csr)
        killed()
        order.take(self.request(order, owner, csr))
        self.world.clock(int(owner.ends - 30 * DAY + 900 - time.time()))  # past the lease of the job that died
        order.browser = owner.enter()
        order.until("installing")
        killed()
        order.refresh()
        challenge = order.now["download"]
        self.world.kill_ca()
        self.world.start_ca()
        order.take(self.proof(order, key, challenge))
        killed()
        self.assertEqual(order.refresh().now["state"], "done")
        self.assertEqual(self.issued(order), 1)
        with self.world.database() as db:
            self.assertEqual(db.execute("SELECT COUNT(*) FROM payments WHERE order_id = ?", (order.now["id"],)).fetchone()[0], 1)

    def test_twice(self):
        """[R5] two tabs: one order for a certificate; somebody else's certificate; a kind that is not its own"""
        owner, other = Owner(self), Owner(self)
        self.at(owner.ends - 30 * DAY)
        order = self.renewal(owner)
        browser = owner.enter()
        self.assertEqual(browser.get("/api/key").json["renewal"]["reason"], "order-open")
        form = owner.prefill(browser)
        body = {"kind": "unit-renewal", "form": form, "certificate": owner.serial}
        self.refused(browser.post("/api/orders", body), 409, "order-open")
        self.refused(browser.post("/api/orders", dict(body, certificate=other.serial)), 403, "other-key")
        self.refused(browser.post("/api/orders", dict(body, certificate="00" * 16)), 404, "certificate-not-found")
        self.refused(Browser(self.world.ca_port).post("/api/orders", body), 403, "other-key")
        self.refused(browser.post("/api/orders", {"kind": "unit-renewal", "form": form}), 400, "missing", "certificate")
        self.refused(browser.post("/api/orders", dict(body, kind="unit-unlock")), 400, "kind-unknown", "kind")
        self.refused(browser.post("/api/orders", dict(body, kind="unit-new")), 400, "unknown-member", "certificate")
        order.step("cancel")
        self.assertEqual(order.now["state"], "cancelled")
        self.assertEqual(browser.post("/api/orders", body).status, 201)

    def test_never_downloaded(self):
        """[R9, design 6.4] paid and never downloaded: refunded after 30 days"""
        owner = Owner(self)
        self.at(owner.ends - 60 * DAY)
        order = self.renewal(owner).step("confirm")
        self.world.cashier(order.pay_url())
        order.until("download")
        self.at(owner.ends - 60 * DAY + 30 * DAY + 60)
        order.browser = owner.enter()
        order.until("refunded")
        self.assertEqual(order.now["payment"]["status"], "refunded")
        self.refused(self.request(order, owner, owner.key), 409, "conflict")
        # and the certificate that was not renewed can be renewed again
        self.assertTrue(owner.enter().get("/api/key").json["renewal"]["possible"])

    def test_given_up_while_installing(self):
        """[R5] money back: then what was made is revoked, and the old one stays good"""
        owner = Owner(self)
        self.at(owner.ends - 60 * DAY)
        order = self.renewal(owner).step("confirm")
        self.world.cashier(order.pay_url())
        order.until("download")
        order.take(self.request(order, owner, Key(os.path.join(self.world.dir, "givenup.key")))).until("installing")
        serial = order.now["certificate"]["serial"]
        order.step("cancel").until("refunded")
        wait_until(lambda: self.status(serial) == "revoked")
        self.assertEqual(self.status(owner.serial), "valid")

    def test_changed_data(self):
        """[R7, V4] an address by an SMS to the old phone; a name by the registry; a phone by a proofing"""
        owner = Owner(self)
        self.at(owner.ends - 60 * DAY)
        order = self.renewal(owner, address="福建省福州市鼓楼区三号")
        self.assertEqual((order.now["state"], order.now["needs"]), ("confirm", ["signature", "payment"]))
        order.step("confirm")
        self.assertEqual(order.now["state"], "signature")
        order.edit(organisation="福州市鼓楼区新名有限公司")
        self.assertEqual((order.now["state"], order.now["needs"]), ("identity", ["identity", "signature", "payment"]))
        order.identity().until("confirm")
        # back to the old name: the proofing is not needed, and the state says so
        order.edit(organisation=owner.form["organisation"])
        self.assertEqual((order.now["state"], order.now["needs"]), ("confirm", ["signature", "payment"]))
        order.step("confirm").sign()
        self.assertEqual(order.now["state"], "payment")
        self.world.cashier(order.pay_url())
        order.until("download")
        self.load(order, owner)


class Change(Flow):
    def change(self, owner, **data):
        return self.renewal(owner, kind="unit-change" if owner.unit else "person-change", **data)

    def test_other_data(self):
        """[V1-V4] free of charge, an SMS to the old phone; same end; the old one revoked after the proof"""
        for unit in (True, False):
            owner = Owner(self, unit)
            order = self.change(owner, address="福建省福州市鼓楼区四号")
            self.assertEqual((order.now["state"], order.now["needs"], order.now["payment"]["method"]),
                             ("confirm", ["signature"], "none"))
            order.step("confirm")
            old = [m for m in self.world.messages(owner.order.phone) if "签名" in m]
            order.sign()
            self.assertGreater(len([m for m in self.world.messages(owner.order.phone) if "签名" in m]), len(old))
            self.assertEqual(order.now["state"], "download")
            key = Key(os.path.join(self.world.dir, "change-%s" % owner.token))
            order.take(self.request(order, owner, key)).until("installing")
            self.assertEqual(order.now["certificate"]["notAfter"], owner.ends)
            self.assertEqual(self.status(owner.serial), "valid")
            order.take(self.proof(order, key))
            wait_until(lambda: self.status(owner.serial) == "revoked")
            self.assertTrue(wait_until(lambda: self.on_list(owner.serial), 30))
            # the new certificate carries the new data on
            owner.key, owner.serial = key, order.now["certificate"]["serial"]
            with_new = owner.login(certificate=base64.b64decode(self.detail(self.reviewer, order)["certificateDer"]))
            self.assertEqual(with_new.json["form"]["address"], "福建省福州市鼓楼区四号")

    def test_nothing_changed(self):
        owner = Owner(self)
        browser = owner.enter()
        body = {"kind": "unit-change", "form": owner.prefill(browser), "certificate": owner.serial}
        self.refused(browser.post("/api/orders", body), 409, "nothing-changed")

    def test_certificate_data_by_registry(self):
        """[V4] a name and a credit code that the registry confirms: no review"""
        owner = Owner(self)
        order = self.change(owner, organisation="福州市鼓楼区更名有限公司", creditCode=credit_code())
        self.assertEqual((order.now["state"], order.now["needs"]), ("identity", ["identity", "signature"]))
        self.refused(order.browser.post(order.path + "/confirm", {"version": order.now["version"]}), 409, "conflict")
        self.refused(order.browser.post(order.path + "/signature/code"), 409, "conflict")
        self.refused(self.request(order, owner, owner.key), 409, "conflict")
        order.identity().until("confirm")
        order.step("confirm").sign()
        self.load(order, owner)
        self.assertIn("福州市鼓楼区更名有限公司", order.now["certificate"]["subject"])

    def test_certificate_data_by_account(self):
        """[V4] an account says nothing about the credit code: review"""
        owner = Owner(self)
        order = self.change(owner, creditCode=credit_code(), photoConsent=True)
        order.identity({"method": "account", "account": "350000000001", "bank": "工商银行"}).until("confirm")
        self.assertEqual(order.now["needs"], ["documents", "signature", "review"])
        order.step("confirm").photos().step("submit").sign()
        self.assertEqual(order.now["state"], "review")
        self.refused(self.request(order, owner, owner.key), 409, "conflict")
        self.do(self.reviewer, order, "approve", {"version": None})
        order.until("download")
        self.load(order, owner)

    def test_certificate_data_without_match(self):
        """[V4] no match: a review instead, and nothing in between"""
        owner = Owner(self, unit=False)
        order = self.change(owner, name="王新明")
        self.refused(order.browser.post(order.path + "/manual", {"version": order.now["version"]}), 409, "review-not-possible")
        order.identity({"method": "mobile", "phone": "13700000002"})
        self.assertEqual(order.now["identity"]["reason"], "mismatch")
        order.take(order.browser.post(order.path + "/manual", {"version": order.now["version"]}))
        self.assertEqual((order.now["state"], order.now["needs"]), ("confirm", ["documents", "signature", "review"]))
        order.step("confirm")
        path = order.path + "/documents/holder-front"
        self.refused(order.browser.put(path, PHOTO, "image/png"), 409, "consent-missing")
        order.edit(photoConsent=True)  # another form: the proofing is asked for again, and fails again
        self.assertEqual(order.now["state"], "identity")
        order.identity({"method": "mobile", "phone": "13700000002"})
        order.take(order.browser.post(order.path + "/manual", {"version": order.now["version"]}))
        order.step("confirm").photos().step("submit").sign()
        self.assertEqual(order.now["state"], "review")
        self.do(self.reviewer, order, "reject", {"version": None, "reason": "data-mismatch", "note": "与公安信息不符"})
        order.until("rejected").step("cancel")
        self.assertEqual((order.now["state"], self.status(owner.serial)), ("cancelled", "valid"))

    def test_new_phone(self):
        """[V4] a new phone needs C1 or C2, and no review takes its place"""
        owner = Owner(self)
        fresh = phone()
        order = self.change(owner, agentPhone=fresh)
        self.assertEqual(order.now["needs"], ["identity", "signature"])
        order.identity({"method": "mobile", "phone": "13700000002"})
        self.refused(order.browser.post(order.path + "/manual", {"version": order.now["version"]}), 409, "review-not-possible")
        order.identity().until("confirm")
        # another phone after the proofing: it is asked for again
        order.edit(agentPhone=phone())
        self.assertEqual(order.now["state"], "identity")
        order.identity().until("confirm")
        order.step("confirm").sign()
        self.load(order, owner)

    def test_expired_on_the_way(self):
        """[V3] the same end, so nothing is made once it has come"""
        owner = Owner(self)
        self.at(owner.ends - 2 * DAY)
        order = self.change(owner, agentName="赵六")
        order.step("confirm").sign()
        self.at(owner.ends + 60)
        order.browser = owner.enter()
        self.refused(self.request(order, owner, owner.key), 409, "certificate-expired")

    def test_suspended_on_the_way(self):
        """[C14] a certificate that was reported lost meanwhile gets no successor"""
        owner = Owner(self)
        order = self.change(owner, agentName="赵六")
        order.step("confirm").sign()
        lost = owner.query()
        self.assertEqual(lost.post("/api/certificates/%s/suspend" % owner.serial).status, 200)
        self.refused(self.request(order, owner, owner.key), 409, "certificate-suspended")


if __name__ == "__main__":
    server_test.BIN = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
