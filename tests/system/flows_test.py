#!/usr/bin/env python3
"""The server's side of every flow of the manual but the new unit certificate (server_test.py), by
its API: the real ukey-ca on SQLite, the real ukey-sandbox, a virtual clock.
flows_test.py BIN_DIR [unittest arguments]"""

import base64
import calendar
import hashlib
import hmac
import json
import os
import re
import struct
import sys
import time
import unittest

import server_test
from server_test import FORM, NEEDED, PHOTO, Case, Desk, Order, phone
from server_world import COUNT, Browser, Key, b64, credit_code, id_number, openssl, wait_until

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

    def ask_code(self, to=None):
        to = to or self.phone
        sent = len([m for m in self.world.messages(to) if "签名" in m])
        answer = self.browser.post(self.path + "/signature/code")
        self.test.assertEqual(answer.status, 200, answer.body)
        return self.world.code(to, "签名", sent)

    def edit(self, status=200, **change):
        self.form = dict(self.form, **change)
        answer = self.browser.put(self.path + "/form", {"version": self.now["version"], "form": self.form})
        return self.take(answer) if status == 200 else answer


class Owner:
    """A customer with a key: the key file stands in for the token."""

    def __init__(self, test, unit=True, **form):
        test.world.clock(0)
        self.blank(test, unit, **form).apply()

    def blank(self, test, unit, **form):
        """With data and a blank key, and no order yet."""
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
        return self

    def apply(self):
        test = self.test
        self.order = Customer(test, "unit-new" if self.unit else "person-new", self.form)
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
        self.renewal(owner, browser, "unit-change", agentName="赵六")
        self.assertEqual(len(browser.get("/api/key").json["orders"]), 1)
        self.assertEqual(browser.post(path + "/suspend").json["status"], "suspended")
        key = browser.get("/api/key").json
        self.assertEqual((key["certificate"]["status"], key["form"], key["orders"]), ("suspended", {}, []))
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
        order.step("confirm")
        # whoever knows another's data has not got his phone: the code goes there and nowhere else
        self.assertEqual(order.now["signature"], {"phone": "137****0001", "holder": True})
        agents = [m for m in self.world.messages(order.phone) if "签名" in m]
        order.take(order.browser.post(order.path + "/signature", {"code": order.ask_code("13700000001")}))
        self.assertEqual([m for m in self.world.messages(order.phone) if "签名" in m], agents)
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
        """[C14] a certificate that was reported lost meanwhile gets no successor, nor one that is made already"""
        owner, made = Owner(self), Owner(self)
        order = self.change(owner, agentName="赵六")
        order.step("confirm").sign()
        lost = owner.query()
        self.assertEqual(lost.post("/api/certificates/%s/suspend" % owner.serial).status, 200)
        self.refused(self.request(order, owner, owner.key), 409, "certificate-suspended")
        order = self.change(made, agentName="赵六").step("confirm").sign()
        key = Key(os.path.join(self.world.dir, "lost-" + made.token))
        order.take(self.request(order, made, key)).until("installing")
        lost, path = made.query(), "/api/certificates/%s" % made.serial
        new = order.now["certificate"]["serial"]
        self.assertEqual(lost.post(path + "/suspend").status, 200)
        self.assertEqual((self.status(made.serial), self.status(new)), ("suspended", "suspended"))
        self.refused(self.proof(order, key), 409, "certificate-suspended")
        self.assertEqual(made.enter().post(path + "/resume").status, 200)
        self.assertEqual(self.status(new), "valid")
        self.assertEqual(order.take(self.proof(order, key)).now["state"], "done")


class Status(Flow):
    """[C14] by the user with a code to the phone or with the key, and by the staff"""

    def test_by_query(self):
        """[C14, L10] lost: stopped at once by the phone; only the key itself or the staff resume and revoke"""
        owner, other = Owner(self), Owner(self)
        path = "/api/certificates/%s" % owner.serial
        self.refused(Browser(self.world.ca_port).post(path + "/suspend"), 401, "login-required")
        stranger = other.query()
        self.refused(stranger.post(path + "/suspend"), 404, "certificate-not-found")
        self.refused(stranger.post("/api/certificates/%s/suspend" % ("00" * 16)), 404, "certificate-not-found")
        self.refused(stranger.post("/api/certificates/%s/suspend" % self.reviewer.serial), 404, "certificate-not-found")
        lost = owner.query()
        self.assertEqual(lost.post(path + "/suspend").json["status"], "suspended")
        self.assertTrue(wait_until(lambda: self.on_list(owner.serial), 30))
        wait_until(lambda: any("挂失" in m for m in self.world.messages(owner.order.phone)))
        self.refused(lost.post(path + "/resume"), 404, "certificate-not-found")
        self.refused(lost.post(path + "/revoke", {"reason": "superseded"}), 404, "certificate-not-found")
        self.assertEqual(lost.get("/api/query").json["certificates"][0]["status"], "suspended")
        self.assertTrue(lost.get("/api/query").json["certificates"][0]["replacement"]["possible"])
        # found again: with the key and its password
        self.assertEqual(owner.enter().post(path + "/resume").json["status"], "valid")
        wait_until(lambda: any("已解除挂失" in m for m in self.world.messages(owner.order.phone)))
        wait_until(lambda: not self.on_list(owner.serial), 30)

    def test_by_staff(self):
        owner = Owner(self)
        path = "/api/staff/certificates/%s" % owner.serial
        for s in (self.producer, self.finance, self.auditor):
            self.refused(s.browser.post(path + "/suspend"), 403, "role-missing")
        self.assertEqual(self.reviewer.browser.post(path + "/suspend").json["status"], "suspended")
        self.assertEqual(self.reviewer.browser.post(path + "/resume").json["status"], "valid")
        self.refused(self.reviewer.browser.post(path + "/revoke", {"reason": "because"}), 400, "invalid-input", "reason")
        self.assertEqual(self.reviewer.browser.post(path + "/revoke", {"reason": "key-compromise"}).json["status"], "revoked")
        self.refused(self.reviewer.browser.post(path + "/resume"), 409, "certificate-revoked")
        with self.world.database() as db:
            book = db.execute("SELECT event, actor FROM certificate_events WHERE serial = ? ORDER BY n", (owner.serial,)).fetchall()
        self.assertEqual([e for e, _ in book], ["suspended", "resumed", "revoked"])
        self.assertNotIn("holder", [a for _, a in book])


class Unlock(Flow):
    def start(self, owner, browser=None):
        browser = browser or Browser(self.world.ca_port)
        answer = browser.post("/api/unlock", {"certificate": b64(owner.certificate)})
        self.assertEqual(answer.status, 201, answer.body)
        order = Customer.__new__(Customer)
        order.test, order.world, order.browser, order.form = self, self.world, browser, owner.form
        order.now, order.path = answer.json, "/api/orders/" + answer.json["id"]
        return order

    def before(self, owner):
        """As if this customer had unlocked before: not the first time."""
        order = self.start(owner)
        order.identity().until("code")
        order.take(order.browser.post(order.path + "/unlock", {"code": self.authorisation("13700000001")}))
        self.open(order, owner)
        return owner

    def authorisation(self, number, after=0):
        return self.world.code(number, "授权码", after)

    def ask(self, order):
        sent = len([m for m in self.world.messages(order.phone) if "解锁码" in m])
        answer = order.browser.post(order.path + "/unlock/code")
        self.assertEqual(answer.status, 200, answer.body)
        self.assertNotIn(order.phone, answer.body.decode())
        return self.world.code(order.phone, "解锁码", sent)

    def ticket(self, order, owner, token=None):
        channel = Key(os.path.join(self.world.dir, "channel.key"))
        return order.browser.post(order.path + "/unlock/ticket", {"token": token or owner.token, "channel": channel.jwk()})

    def nonce(self, order):
        """The ticket's, which only the helper reads: here out of the server's memory of it."""
        with self.world.database() as db:
            return [r[0] for r in db.execute("SELECT jti FROM tickets WHERE order_id = ? ORDER BY issued_at, jti", (order.now["id"],))]

    def receipt(self, order, owner, key=None, jti=None, nonce=None):
        """What the opened key signs (include/uk/receipt.h)."""
        jti = jti or self.nonce(order)[-1]
        nonce = nonce or server_nonce(self.world, jti)
        data = b"ukey-unlock-1\0"
        for field in (self.world.origin, order.now["id"], jti, nonce):
            data += struct.pack(">I", len(field)) + field.encode()
        return order.browser.post(order.path + "/unlock/receipt", {
            "signature": b64((key or owner.key).sign(data)), "certificate": b64(owner.certificate)})

    def open(self, order, owner):
        self.assertEqual(order.now["state"], "unlocking", order.now)
        answer = self.ticket(order, owner)
        self.assertEqual((answer.status, answer.json["ticket"].count(".")), (200, 4), answer.body)
        order.take(self.receipt(order, owner))
        self.assertEqual(order.now["state"], "done")

    def pins(self, owner):
        with self.world.database() as db:
            return sorted(r[0] for r in db.execute("SELECT state FROM token_pins WHERE token = ?", (owner.token,)))

    def test_first(self):
        """[U3, U4] the first time: a proofing; the authorisation code by its channel, never to the agent"""
        for unit in (True, False):
            owner = Owner(self, unit)
            order = self.start(owner)
            self.assertEqual((order.now["kind"], order.now["state"]), ("unit-unlock" if unit else "person-unlock", "identity"))
            self.assertEqual((order.now["unlock"]["first"], order.now["unlock"]["way"]), (True, "identity"))
            self.assertEqual((order.now["payment"]["amount"], order.now["payment"]["method"]), (0, "none"))
            # whoever has the locked key learns nothing about its owner
            for secret in (owner.number, owner.order.phone, owner.form["address"]):
                self.assertNotIn(secret, json.dumps(order.now, ensure_ascii=False))
            self.refused(order.browser.post(order.path + "/unlock/code"), 409, "conflict")
            self.refused(order.browser.post(order.path + "/unlock", {"code": "123456"}), 409, "conflict")
            self.refused(self.ticket(order, owner), 409, "conflict")
            order.identity({"method": "mobile", "phone": "13700000002"})
            self.assertEqual(order.now["identity"]["reason"], "mismatch")
            proved = "1370000%02d01" % COUNT[0]
            order.identity({"method": "mobile", "phone": proved}).until("code")
            self.refused(order.browser.post(order.path + "/unlock/code"), 409, "conflict")
            code = self.authorisation(proved)
            self.assertEqual([m for m in self.world.messages(owner.order.phone) if "授权码" in m], [])
            order.take(order.browser.post(order.path + "/unlock", {"code": code}))
            self.assertEqual(self.pins(owner), ["proved"])
            self.open(order, owner)
            self.assertEqual(self.pins(owner), ["proved"])
            wait_until(lambda: any("已解锁" in m for m in self.world.messages(owner.order.phone)))
            # the next time the agent's phone is enough
            self.assertEqual(self.start(owner).now["unlock"], {
                "phone": owner.order.phone[:3] + "****" + owner.order.phone[7:], "first": False, "way": "sms",
                "codeSent": False, "triesLeft": 5})

    def test_account(self):
        """[U3, C3] by micro-payment: the authorisation code is in the remark"""
        owner = Owner(self)
        order = self.start(owner)
        account = "3500000%05d1" % COUNT[0]
        order.identity({"method": "account", "account": account, "bank": "工商银行"})
        remarks = wait_until(lambda: self.world.records(account))
        order.until("code")
        order.take(order.browser.post(order.path + "/unlock", {"code": re.search(r"\d{6}", remarks[0]).group()}))
        self.open(order, owner)

    def test_account_bounces(self):
        """[U3] the transfer comes back: another way"""
        owner = Owner(self)
        order = self.start(owner)
        order.identity({"method": "account", "account": "350000000009", "bank": "工商银行"})
        order.until("identity")
        self.assertEqual(order.now["unlock"]["codeSent"], False)
        sent = len([m for m in self.world.messages("13700000001") if "授权码" in m])
        order.identity().until("code")
        order.take(order.browser.post(order.path + "/unlock", {"code": self.authorisation("13700000001", sent)}))
        self.open(order, owner)

    def test_by_phone(self):
        """[U2, U5] single use, five minutes, bound to this order and this key; wrong ones counted"""
        owner, other = self.before(Owner(self)), self.before(Owner(self))
        order, theirs = self.start(owner), self.start(other)
        self.assertEqual((order.now["state"], order.now["unlock"]["way"]), ("code", "sms"))
        self.assertIn("code", order.now["actions"])
        code, foreign = self.ask(order), self.ask(theirs)
        self.assertTrue(order.refresh().now["unlock"]["codeSent"])
        self.refused(order.browser.post(order.path + "/unlock/code"), 429, "code-too-early")
        wrong = order.browser.post(order.path + "/unlock", {"code": foreign if foreign != code else "000000"})
        self.refused(wrong, 400, "code-wrong", "code")
        self.assertEqual((wrong.json["error"]["attemptsLeft"], order.refresh().now["unlock"]["triesLeft"]), (4, 4))
        self.refused(order.browser.post(order.path + "/unlock", {"code": "abcdef"}), 400, "invalid-input", "code")
        # somebody else's order, and nobody's
        self.refused(theirs.browser.post(order.path + "/unlock", {"code": code}), 404, "not-found")
        self.refused(Browser(self.world.ca_port).post(order.path + "/unlock", {"code": code}), 401, "login-required")
        self.world.clock(301)
        self.refused(order.browser.post(order.path + "/unlock", {"code": code}), 400, "code-expired", "code")
        code = self.ask(order)
        order.take(order.browser.post(order.path + "/unlock", {"code": code}))
        self.refused(order.browser.post(order.path + "/unlock", {"code": code}), 409, "conflict")
        # tickets: only for the key that it is about, three of them
        self.refused(self.ticket(order, owner, other.token), 403, "other-key")
        self.refused(self.receipt(order, owner, jti="00" * 16, nonce="0" * 64), 400, "receipt-refused")
        for _ in range(3):
            self.assertEqual(self.ticket(order, owner).status, 200)
        self.assertEqual(self.pins(owner), ["next", "proved"])
        self.refused(self.ticket(order, owner), 409, "ticket-refused")
        self.refused(self.receipt(order, owner, key=other.key), 400, "receipt-refused")
        self.refused(self.receipt(order, other), 400, "receipt-refused")
        order.take(self.receipt(order, owner, jti=self.nonce(order)[0]))  # the first was the one that opened it
        self.assertEqual((order.now["state"], self.pins(owner)), ("done", ["proved"]))
        self.assertEqual(order.take(self.receipt(order, owner)).now["state"], "done")  # said twice
        self.refused(self.ticket(order, owner), 409, "conflict")

    def test_wrong_codes_stop(self):
        """[U5] five wrong ones, of however many codes, end the order; five orders a day"""
        owner = self.before(Owner(self))
        order = self.start(owner)
        code = self.ask(order)
        wrong = "000000" if code != "000000" else "000001"
        for left in (4, 3):
            answer = order.browser.post(order.path + "/unlock", {"code": wrong})
            self.assertEqual((answer.reason, answer.json["error"]["attemptsLeft"]), ("code-wrong", left))
        self.world.clock(61)
        code = self.ask(order)
        wrong = "000000" if code != "000000" else "000001"
        for left in (2, 1):
            answer = order.browser.post(order.path + "/unlock", {"code": wrong})
            self.assertEqual((answer.reason, answer.json["error"]["attemptsLeft"]), ("code-wrong", left))
        self.refused(order.browser.post(order.path + "/unlock", {"code": wrong}), 400, "code-exhausted", "code")
        self.assertEqual(order.refresh().now["state"], "cancelled")
        self.refused(order.browser.post(order.path + "/unlock", {"code": code}), 409, "conflict")
        for _ in range(3):
            self.start(owner)
        self.refused(Browser(self.world.ca_port).post("/api/unlock", {"certificate": b64(owner.certificate)}),
                     429, "too-many-orders")

    def test_other_way(self):
        """[U3] 其他验证方式: the code to the phone is worth nothing from then on; seven days for the other"""
        owner = self.before(Owner(self))
        order = self.start(owner)
        code = self.ask(order)
        order.take(order.browser.post(order.path + "/unlock/other"))
        self.assertEqual((order.now["state"], order.now["unlock"]["way"]), ("identity", "identity"))
        self.refused(order.browser.post(order.path + "/unlock", {"code": code}), 409, "conflict")
        sent = len([m for m in self.world.messages("13700000001") if "授权码" in m])
        order.identity().until("code")
        self.assertTrue(order.now["unlock"]["codeSent"])
        right = self.authorisation("13700000001", sent)
        if code != right:
            self.refused(order.browser.post(order.path + "/unlock", {"code": code}), 400, "code-wrong", "code")
        self.world.clock(7 * DAY + 60)
        wait_until(lambda: self.order_state(order) == "expired", 30)

    def order_state(self, order):
        with self.world.database() as db:
            return db.execute("SELECT state FROM orders WHERE id = ?", (order.now["id"],)).fetchone()[0]

    def test_refused(self):
        """[U1] not ours, revoked, suspended, a key the CA has not made"""
        owner = Owner(self)
        browser = Browser(self.world.ca_port)
        self.refused(browser.post("/api/unlock", {"certificate": b64(b"\x30\x00")}), 400, "invalid-input", "certificate")
        self.refused(browser.post("/api/unlock", {"certificate": b64(self.reviewer.certificate)}), 404, "certificate-not-found")
        key = os.path.join(self.world.dir, "foreign.key")
        Key(key)
        foreign = openssl("req", "-x509", "-new", "-key", key, "-subj", "/CN=x", "-days", "9", "-outform", "DER")
        self.refused(browser.post("/api/unlock", {"certificate": b64(foreign)}), 404, "certificate-not-found")
        path = "/api/staff/certificates/" + owner.serial
        self.reviewer.browser.post(path + "/suspend")
        self.refused(browser.post("/api/unlock", {"certificate": b64(owner.certificate)}), 409, "certificate-suspended")
        self.reviewer.browser.post(path + "/revoke", {"reason": "key-compromise"})
        self.refused(browser.post("/api/unlock", {"certificate": b64(owner.certificate)}), 409, "certificate-revoked")
        self.assertEqual(browser.cookies, {})

    def test_renewed(self):
        """[U2, V4] by a renewed certificate the agent of then is not asked: the phone is another's by now"""
        owner = Owner(self)
        self.at(owner.ends - 60 * DAY)
        order = self.renewal(owner, agentPhone=phone())
        order.identity().until("confirm").step("confirm").sign()
        self.world.cashier(order.pay_url())
        order.until("download")
        key = Key(os.path.join(self.world.dir, "new-" + order.now["id"]))
        order.take(self.request(order, owner, key)).until("installing")
        new = order.now["download"]["certificate"]
        order.take(self.proof(order, key))
        browser = Browser(self.world.ca_port)
        self.refused(browser.post("/api/unlock", {"certificate": b64(owner.certificate)}), 409, "renewed")
        owner.certificate = base64.b64decode(new)
        self.assertEqual(self.start(owner).now["unlock"]["phone"][-4:], order.phone[-4:])

    def test_goes_on(self):
        """[Q2] in another browser, by the order query"""
        owner = self.before(Owner(self))
        order = self.start(owner)
        elsewhere = owner.query()
        self.assertIn(order.now["id"], [o["id"] for o in elsewhere.found["orders"]])
        order.browser = elsewhere
        order.take(elsewhere.post(order.path + "/unlock", {"code": self.ask(order)}))
        self.open(order, owner)


class Replacement(Flow):
    def replace(self, owner, browser=None, **change):
        browser = browser or owner.query()
        kind = "unit-replacement" if owner.unit else "person-replacement"
        return Customer(self, kind, dict(owner.form, **change), browser, certificate=owner.serial)

    def remit(self, remark, amount=10000, **more):
        """A record of the bank's; its id."""
        COUNT[0] += 1
        reference = "B%012d" % COUNT[0]
        answer = self.finance.browser.post("/api/staff/remittances", dict({
            "reference": reference, "payer": FORM["organisation"], "account": "350000000001",
            "remark": remark, "amount": amount, "receivedAt": int(time.time())}, **more))
        self.assertEqual((answer.status, answer.json), (200, {"entered": 1, "known": 0}), answer.body)
        return [r for r in self.remittances() if r["reference"] == reference][0]

    def remittances(self):
        return self.finance.browser.get("/api/staff/remittances").json["remittances"]

    def match(self, remittance, order, version=None, who=None):
        return (who or self.finance).browser.post("/api/staff/remittances/%s/match" % remittance["id"], {
            "order": order.now["id"], "version": version or order.refresh().now["version"]})

    def test_unit(self):
        """[L1-L9, L10] remitted, matched, reviewed; the old one revoked at the approval; the old end date"""
        owner = Owner(self)
        browser = owner.query()
        record = browser.found["certificates"][0]
        self.assertEqual((record["serial"], record["replacement"]["possible"]), (owner.serial, True))
        browser.post("/api/certificates/%s/suspend" % owner.serial)
        order = self.replace(owner, browser)
        self.assertEqual((order.now["state"], order.now["payment"]["method"]), ("identity", "remittance"))
        self.assertEqual(order.now["payment"]["remittance"]["remark"], order.now["id"])
        self.assertEqual(order.now["needs"], ["identity", "documents", "signature", "payment", "review"])
        self.assertEqual(order.now["documentsNeeded"], NEEDED + ["payment-proof"])
        order.to_documents()
        for kind in NEEDED:
            order.take(order.browser.put("%s/documents/%s" % (order.path, kind), PHOTO, "image/png"))
        self.refused(order.browser.post(order.path + "/submit", {"version": order.now["version"]}), 409, "documents-missing")
        order.photos().step("submit").sign()
        self.assertEqual((order.now["state"], order.now["payment"]["status"]), ("payment", "none"))
        self.refused(order.browser.post(order.path + "/payment"), 409, "conflict")
        signed = order.now["signature"]["signedAt"]
        # finance: the wrong amount, another desk, an old version; then the right one, once
        less, right = self.remit("补办", 9999), self.remit("补办费 %s" % order.now["id"])
        self.assertEqual(right["suggested"], order.now["id"])
        self.refused(self.match(less, order), 409, "amount-mismatch")
        self.refused(self.match(right, order, who=self.reviewer), 403, "role-missing")
        self.refused(self.match(right, order, version=1), 409, "version")
        self.assertEqual(self.match(right, order).json["state"], "review")
        self.refused(self.match(right, order), 409, "remittance-matched")
        self.refused(self.match(self.remit("重复"), order), 409, "conflict")
        order.refresh()
        self.assertEqual((order.now["payment"]["status"], order.now["payment"]["tradeNo"]), ("paid", right["reference"]))
        due = order.now["review"]["dueAt"]  # the end of the fifth working day since it was handed in
        self.assertEqual((due + 8 * 3600) % DAY, 0)
        self.assertTrue(5 * DAY < due - signed < 20 * DAY)
        self.assertEqual(self.status(owner.serial), "suspended")
        self.do(self.reviewer, order, "approve", {"version": None})
        wait_until(lambda: self.status(owner.serial) == "revoked")
        wait_until(lambda: any("原证书已注销" in m for m in self.world.messages(order.phone)))
        order.until("production")
        owner.token = "T%07d" % (COUNT[0] + 5000)
        old = owner.ends
        owner.make(order, Key(os.path.join(self.world.dir, "replaced.key")))
        self.assertEqual((order.now["state"], owner.ends), ("done", old))
        self.assertEqual(owner.login().status, 401)  # the lost key is not the new certificate's
        self.assertTrue(wait_until(lambda: self.on_list(record["serial"]), 30))

    def test_remitted_first(self):
        """[L1, L6] matched before it is handed in: review at once after the signature"""
        owner = Owner(self)
        order = self.replace(owner)
        self.assertEqual(self.match(self.remit(order.now["id"]), order).status, 200)
        self.assertEqual(order.refresh().now["needs"], ["identity", "documents", "signature", "review"])
        order.to_documents().photos().step("submit").sign()
        self.assertEqual(order.now["state"], "review")
        # rejected and given back: by hand, since a remittance can't be refunded by Alipay
        self.do(self.reviewer, order, "reject", {"version": None, "reason": "other", "note": "凭证不符"})
        order.refresh().step("refund").until("refund-by-hand")
        # the money may take its time, the certificate is free for another order
        self.assertTrue(order.browser.get("/api/query").json["certificates"][0]["replacement"]["possible"])
        payment = self.detail(self.finance, order)["payments"][0]
        self.assertEqual((payment["method"], payment["status"], payment["amount"]), ("remittance", "by-hand", 10000))
        self.do(self.finance, order, "refunded", {"version": None, "payment": payment["id"], "note": "网银汇出"})
        self.assertEqual(order.refresh().now["state"], "refunded")
        self.assertEqual(self.status(owner.serial), "valid")

    def test_renewed_before(self):
        """[L10] with the key its renewed certificate is lost, too, which would still run"""
        owner = Owner(self, unit=False)
        first = owner.serial
        self.at(owner.ends - 60 * DAY)
        renewal = self.renewal(owner).step("confirm")
        self.world.cashier(renewal.pay_url())
        self.load(renewal.until("download"), owner)
        owner.serial = renewal.now["certificate"]["serial"]
        order = self.replace(owner).step("confirm").photos().step("submit").sign()
        self.world.cashier(order.pay_url())
        order.until("review")
        late = self.world.staff("审核员五", "reviewer")
        self.assertEqual(late.login().status, 200)
        self.assertEqual((self.status(first), self.status(owner.serial)), ("valid", "valid"))
        self.do(late, order, "approve", {"version": None})
        wait_until(lambda: self.status(first) == self.status(owner.serial) == "revoked")

    def test_four_eyes(self):
        """[A1] who has entered or matched the money neither reviews nor makes"""
        enters, matches = (self.world.staff(n, "finance,reviewer,producer") for n in ("兼职甲", "兼职乙"))
        for s in (enters, matches):
            self.assertEqual(s.login().status, 200)
        order = self.replace(Owner(self)).to_documents().photos().step("submit").sign()
        body = {"reference": "FOUR-EYES", "payer": "某公司", "amount": 10000, "receivedAt": int(time.time())}
        self.assertEqual(enters.browser.post("/api/staff/remittances", body).status, 200)
        remittance = [r for r in self.remittances() if r["reference"] == "FOUR-EYES"][0]
        self.assertEqual(self.match(remittance, order, who=matches).json["state"], "review")
        reject = {"version": None, "reason": "other", "note": "凭证不符"}
        for s in (enters, matches):
            self.refused(self.do(s, order, "approve", {"version": None}, 403), 403, "same-person")
            self.refused(self.do(s, order, "reject", reject, 403), 403, "same-person")
        self.do(self.reviewer, order, "approve", {"version": None})
        order.until("production")
        for s in (enters, matches):
            self.refused(self.do(s, order, "claim", {"version": None}, 403), 403, "same-person")
        self.do(self.producer, order, "claim", {"version": None})

    def test_person(self):
        """[M1-M7] nothing changed: no proofing; Alipay; the password to the phone that was asked by"""
        owner = Owner(self, unit=False)
        order = self.replace(owner)
        self.assertEqual((order.now["state"], order.now["needs"], order.now["payment"]["method"]),
                         ("confirm", ["documents", "signature", "payment", "review"], "alipay"))
        order.step("confirm").photos().step("submit").sign()
        self.world.cashier(order.pay_url())
        order.until("review")
        self.do(self.reviewer, order, "approve", {"version": None})
        order.until("production")
        wait_until(lambda: any("证书密码" in m for m in self.world.messages(order.phone)))
        wait_until(lambda: self.status(owner.serial) == "revoked")
        owner.token = "T%07d" % (COUNT[0] + 5000)
        old = owner.ends
        owner.make(order, Key(os.path.join(self.world.dir, "replaced-person.key")))
        self.assertEqual((order.now["state"], owner.ends), ("done", old))

    def test_changed(self):
        """[L10, M3, V4] a changed phone or address: the proofing again, and again when it is changed after it"""
        owner = Owner(self, unit=False)
        order = self.replace(owner, address="福建省福州市鼓楼区九号")
        self.assertEqual((order.now["state"], order.now["needs"][0]), ("identity", "identity"))
        order.identity().until("confirm")
        order.edit(address="福建省福州市鼓楼区十号")
        self.assertEqual(order.now["state"], "identity")
        order.edit(address=owner.form["address"])
        self.assertEqual(order.now["state"], "confirm")
        order.edit(phone=phone())
        self.assertEqual(order.now["state"], "identity")

    def test_refused(self):
        """[L3, L10] without the code, for somebody else's, twice, expired, revoked"""
        owner, other = Owner(self), Owner(self)
        body = {"kind": "unit-replacement", "form": owner.form, "certificate": owner.serial}
        self.refused(Browser(self.world.ca_port).post("/api/orders", body), 403, "other-key")
        self.refused(other.query().post("/api/orders", body), 403, "other-key")
        self.refused(owner.enter().post("/api/orders", body), 403, "other-key")  # the key is not lost then
        browser = owner.query()
        order = self.replace(owner, browser)
        self.refused(browser.post("/api/orders", body), 409, "order-open")
        self.assertEqual(browser.get("/api/query").json["certificates"][0]["replacement"]["reason"], "order-open")
        order.step("cancel")
        self.at(owner.ends + DAY)
        late = owner.query()
        self.assertEqual(late.found["certificates"][0]["replacement"]["reason"], "expired")
        self.refused(late.post("/api/orders", body), 409, "expired")
        self.world.clock(0)
        self.reviewer.browser.post("/api/staff/certificates/%s/revoke" % other.serial, {"reason": "superseded"})
        self.refused(other.query().post("/api/orders", dict(body, form=other.form, certificate=other.serial)), 409, "revoked")

    def test_ended_before_the_approval(self):
        """[L10] what has ended meanwhile is not replaced: apply anew, and the money back"""
        owner = Owner(self, unit=False)
        self.at(owner.ends - 3600)
        order = self.replace(owner).step("confirm").photos().step("submit").sign()
        self.world.cashier(order.pay_url())
        order.until("review")
        self.at(owner.ends + 60)
        late = self.world.staff("审核员三", "reviewer")
        self.assertEqual(late.login().status, 200)
        path = "/api/staff" + order.path[4:]
        version = late.browser.get(path).json["version"]
        self.refused(late.browser.post(path + "/approve", {"version": version}), 409, "certificate-expired")
        answer = late.browser.post(path + "/reject", {"version": version, "reason": "other", "note": "证书已到期，请重新申请"})
        self.assertEqual(answer.json["state"], "rejected")
        order.refresh().step("refund").until("refunded")

    def test_import(self):
        """[A4, L8] the bank's records as a file: twice is once; what is wrong stops all of it"""
        head = "\ufeff流水号,付款方,付款账号,附言,金额,到账时间,备注\r\n"
        rows = 'C1,"测试, ""有限""公司",350000000001,补办费,100.00,2026-11-20 09:30:00,x\r\nC2,甲公司,,,5.5,2026-11-21,\r\n'

        def send(text, who=self.finance, kind="text/csv"):
            return who.browser.request("POST", "/api/staff/remittances/import", text.encode(), {"Content-Type": kind})

        self.assertEqual(send(head + rows).json, {"entered": 2, "known": 0})
        self.assertEqual(send(head + rows).json, {"entered": 0, "known": 2})
        first = [r for r in self.remittances() if r["reference"] == "C1"][0]
        self.assertEqual((first["payer"], first["amount"], first["receivedAt"]), ('测试, "有限"公司', 10000, 1795138200))
        for text, reason, field in (
                ("", "records-malformed", None), ("流水号,金额\r\nX,1\r\n", "records-malformed", None),
                (head + 'D1,"甲', "records-malformed", None), (head + "D1,甲,,,1e5,2026-11-21,\r\n", "invalid-input", "amount"),
                (head + "D1,甲,,,-1.00,2026-11-21,\r\n", "invalid-input", "amount"),
                (head + "D1,甲,,,1.00,2026-02-29,\r\n", "invalid-input", "time"),
                (head + ",甲,,,1.00,2026-11-21,\r\n", "invalid-input", "reference"),
                (head + "D1,甲,,,1.00,2026-11-21,\r\nD2,甲,,,x,2026-11-21,\r\n", "invalid-input", "amount")):
            self.refused(send(text), 400, reason, field)
        self.assertEqual([r for r in self.remittances() if r["reference"].startswith("D")], [])
        self.assertEqual(send(head + rows, kind="application/json").status, 415)
        self.refused(send(head + rows, who=self.reviewer), 403, "role-missing")
        self.refused(self.reviewer.browser.get("/api/staff/remittances"), 403, "role-missing")


class Desks(Flow):
    def test_key_of_another(self):
        """[A3] a station that names another customer's key does not get that key's SO PIN replaced"""
        owner = Owner(self)
        order = self.approved()
        self.do(self.producer, order, "claim", {"version": None})
        self.assertEqual(self.ask_ticket(order).status, 200)
        body = {"token": owner.token, "request": b64(Key(os.path.join(self.world.dir, "blank.key")).request())}
        self.refused(self.do(self.producer, order, "request", body, 409), 409, "token-not-blank")
        with self.world.database() as db:
            pins = db.execute("SELECT state FROM token_pins WHERE token = ?", (owner.token,)).fetchall()
        self.assertEqual(pins, [("proved",)])
        self.do(self.producer, order, "request", dict(body, token="T-BLANK-1"))
        order.until("proving")

    def queue(self, staff, name):
        answer = staff.browser.get("/api/staff/orders?queue=" + name)
        self.assertEqual(answer.status, 200, answer.body)
        return {o["id"]: o for o in answer.json["orders"]}

    def test_attention(self):
        """[A2, C3] what stopped is on the desk, with why, until it goes on"""
        order = Order(self).to_review({"method": "account", "account": "350000000009", "bank": "工商银行"})
        self.do(self.reviewer, order, "approve", {"version": None})
        order.until("delivery-failed")
        item = self.queue(self.reviewer, "attention")[order.now["id"]]
        tasks = {t["kind"]: t["id"] for t in item["tasks"]}  # "job-failed" too, if our question was the bank's first word
        self.assertEqual(set(tasks) - {"job-failed"}, {"delivery-failed"})
        mine = {"id": tasks["delivery-failed"]}
        self.refused(self.reviewer.browser.post("/api/staff/tasks/done", mine), 404, "not-found")  # another desk's
        self.do(self.finance, order, "refund", {"version": None})
        order.until("refunded")
        left = self.queue(self.reviewer, "attention").get(order.now["id"], {"tasks": []})["tasks"]
        self.assertNotIn("delivery-failed", [t["kind"] for t in left])

    def test_finance(self):
        """[A4] money that came back by itself is seen to by finance, and then off the desk"""
        order = Order(self).to_payment()
        page = self.world.cashier(order.pay_url(), action=None)
        self.world.fault(alipayError="ACQ.SYSTEM_ERROR")
        order.refresh().step("cancel")
        self.world.press(page)
        wait_until(lambda: order.refresh().now["state"] == "refunded", 60)
        task = [t for t in self.queue(self.finance, "finance")[order.now["id"]]["tasks"] if t["kind"] == "payment-returned"][0]
        self.assertEqual(self.finance.browser.post("/api/staff/tasks/done", {"id": task["id"]}).status, 200)
        self.assertNotIn(order.now["id"], self.queue(self.finance, "finance"))
        payments = self.detail(self.finance, order)["payments"]
        self.assertEqual([(p["status"], p["method"], p["amount"]) for p in payments], [("refunded", "alipay", 20000)])

    def test_looks(self):
        """[A5] who has looked at whose photos is in the order's own book"""
        order = Order(self).to_review()
        base = "/api/staff" + order.path[4:]
        version = self.detail(self.reviewer, order)["version"]
        for who, photo in ((self.reviewer, "agent-front"), (self.auditor, "business-licence")):
            self.assertEqual(who.browser.get(base + "/documents/" + photo).status, 200)
        self.refused(self.producer.browser.get(base + "/documents/agent-back"), 403, "role-missing")
        self.refused(self.reviewer.browser.get(base + "/documents/holder-front"), 404, "not-found")
        detail = self.detail(self.auditor, order)
        self.assertEqual([(l["by"], l["document"]) for l in detail["looks"]],
                         [("审核员", "agent-front"), ("审计员", "business-licence")])
        self.assertEqual(detail["version"], version)  # nobody's page is stale by it
        self.assertNotIn("look", [h["event"] for h in detail["history"]])
        order.refresh()
        self.assertNotIn("looks", order.now)

    def test_notes_are_sealed(self):
        """what staff write about people is nowhere in the clear"""
        order = Order(self).to_review()
        words = "张三的身份证照片看不清楚"
        self.do(self.reviewer, order, "reject", {"version": None, "reason": "document-unclear", "note": words})
        self.assertEqual(order.refresh().now["review"]["note"], words)
        self.assertIn(words, [h.get("note") for h in self.detail(self.auditor, order)["history"]])
        for name in os.listdir(self.world.ca_dir):
            if "ukey-ca.db" in name:
                with open(os.path.join(self.world.ca_dir, name), "rb") as f:
                    self.assertNotIn(words.encode(), f.read())

    def test_attempts_of_one_number(self):
        """[C4] new orders give no new attempts without end about one person"""
        number = id_number()
        for n in range(20):
            if n % 3 == 0:
                order = Customer(self, "person-new", dict(PERSON, phone=phone(), idNumber=number))
            order.identity({"method": "mobile", "phone": "13700000002"})
        other = Customer(self, "person-new", dict(PERSON, phone=phone(), idNumber=number))
        refused = other.browser.post(other.path + "/identity", {"method": "mobile", "phone": "13700000001"})
        self.refused(refused, 429, "too-many-attempts")
        self.assertGreater(refused.json["error"]["retryAfter"], 0)
        self.assertEqual((other.refresh().now["state"], other.now["identity"]["attemptsLeft"]), ("identity", 3))
        # somebody else's number is not touched by it
        Customer(self, "person-new", dict(PERSON, phone=phone(), idNumber=id_number())).identity().until("confirm")


def server_nonce(world, jti):
    """In place of opening the ticket, which needs more than the openssl command: the nonce as the
    server makes it, by HMAC under a key that is derived from the master key (store/crypt.h)."""
    with open(os.path.join(world.ca_dir, "master.key"), "rb") as f:
        master = f.read()

    def hkdf(info):
        prk = hmac.new(b"\0" * 32, master, hashlib.sha256).digest()
        return hmac.new(prk, info + b"\1", hashlib.sha256).digest()

    data = b"".join(struct.pack(">I", len(p)) + p for p in (b"unlock-nonce", jti.encode()))
    return hmac.new(hkdf(b"ukey-ca 1 index code"), data, hashlib.sha256).hexdigest()


if __name__ == "__main__":
    server_test.BIN = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
