#!/usr/bin/env python3
"""The server's side of a new unit certificate, by its API: the real ukey-ca on SQLite, the real
ukey-sandbox, over HTTP.  server_test.py BIN_DIR [unittest arguments]"""

import base64
import json
import os
import re
import sqlite3
import subprocess
import sys
import time
import unittest
import urllib.parse

from server_world import Browser, Key, SM2_ID, World, b64, id_number, openssl, png, wait_until

BIN = None

FORM = {
    "organisation": "福州市鼓楼区测试有限公司",
    "creditCode": "91350100M000100Y43",
    "legalPersonName": "张三",
    "legalPersonId": "11010519491231002X",
    "agentName": "李四",
    "agentId": "34052419800101001X",
    "agentPhone": "13800000001",
    "agentEmail": "li.si@example.com",
    "recipient": "李四",
    "recipientPhone": "13800000001",
    "address": "福建省福州市鼓楼区一号",
    "postcode": "350001",
    "invoiceType": "general",
    "photoConsent": True,
    "agreement": True,
}
NEEDED = ["business-licence", "legal-person-front", "legal-person-back", "agent-front", "agent-back"]
PHOTO = png(640, 480)
SERIAL = [0]


def phone():
    """A fresh one for every order, so that limits of one test are not felt in another."""
    SERIAL[0] += 1
    return "139%07d1" % SERIAL[0]


class Order:
    """An applicant at work; each step returns self, having checked that it went well."""

    def __init__(self, test, **form):
        self.test, self.world = test, test.world
        self.browser = Browser(self.world.ca_port)
        self.form = dict(FORM, agentPhone=phone(), legalPersonId=id_number(), **form)
        self.take(self.browser.post("/api/orders", {"kind": "unit-new", "form": self.form}), 201)
        self.path = "/api/orders/" + self.now["id"]

    def take(self, answer, status=200):
        self.test.assertEqual(answer.status, status, answer.body)
        self.now = answer.json
        return self

    def refresh(self):
        return self.take(self.browser.get(self.path))

    def until(self, state):
        wait_until(lambda: self.refresh().now["state"] == state)
        return self

    def step(self, name):
        return self.take(self.browser.post("%s/%s" % (self.path, name), {"version": self.now["version"]}))

    def identity(self, body=None):
        answer = self.browser.post(self.path + "/identity",
                                   body or {"method": "mobile", "phone": "13700000001"})
        self.take(answer)
        wait_until(lambda: self.refresh().now["identity"]["status"] != "checking")
        return self

    def photos(self):
        for kind in NEEDED:
            self.take(self.browser.put("%s/documents/%s" % (self.path, kind), PHOTO, "image/png"))
        return self

    def ask_code(self):
        sent = len([m for m in self.world.messages(self.form["agentPhone"]) if "签名" in m])
        answer = self.browser.post(self.path + "/signature/code")
        self.test.assertEqual(answer.status, 200, answer.body)
        return self.world.code(self.form["agentPhone"], "签名", sent)

    def sign(self):
        return self.take(self.browser.post(self.path + "/signature", {"code": self.ask_code()}))

    def to_documents(self, identity=None):
        self.identity(identity).until("confirm")
        return self.step("confirm")

    def to_signature(self, identity=None):
        return self.to_documents(identity).photos().step("submit")

    def to_payment(self, identity=None):
        self.to_signature(identity).sign()
        self.test.assertEqual(self.now["state"], "payment")
        return self

    def pay_url(self):
        answer = self.browser.post(self.path + "/payment")
        self.test.assertEqual(answer.status, 200, answer.body)
        return answer.json["url"]

    def to_review(self, identity=None):
        self.to_payment(identity)
        self.world.cashier(self.pay_url())
        return self.until("review")


class Case(unittest.TestCase):
    ALGORITHM = "p256"

    @classmethod
    def setUpClass(cls):
        cls.world = World(BIN, cls.ALGORITHM)
        try:
            cls.world.start_sandbox()
            cls.world.init()
            cls.world.start_ca()
            cls.prepare()
        except BaseException:
            sys.stderr.write(cls.world.log_text()[-4000:])
            cls.world.close()
            raise

    @classmethod
    def prepare(cls):
        pass

    @classmethod
    def tearDownClass(cls):
        cls.world.close()

    def tearDown(self):
        self.world.fault(reset=True)

    def refused(self, answer, status, reason, field=None):
        self.assertEqual((answer.status, answer.reason), (status, reason), answer.body)
        if field is not None:
            self.assertEqual(answer.json["error"]["field"], field)
        self.assertTrue(answer.json["error"]["requestId"])


class Applicant(Case):
    def test_site(self):
        site = Browser(self.world.ca_port).get("/api/site").json
        self.assertEqual((site["prices"]["unit-new"], site["prices"]["person-new"]), (20000, 10000))
        self.assertEqual([k for k, v in site["prices"].items() if v == 0],
                         ["unit-unlock", "person-unlock", "unit-change", "person-change"])  # [U4, V3]
        self.assertEqual(site["reviewDays"], 3)

    def test_form_numbers(self):
        """[N2] check digits: refused for identity numbers, a warning for the credit code"""
        browser = Browser(self.world.ca_port)
        for field, value, reason in (
                ("legalPersonId", "110105194912310021", "id-number-invalid"),
                ("agentId", "34052419800231001X", "id-number-invalid"),
                ("agentPhone", "12345678901", "phone-invalid"),
                ("agentEmail", "nobody", "email-invalid"),
                ("creditCode", "9135010", "credit-code-invalid"),
                ("photoConsent", False, "consent-missing")):
            answer = browser.post("/api/orders", {"kind": "unit-new", "form": dict(FORM, **{field: value})})
            self.refused(answer, 400, reason, field)
        answer = browser.post("/api/orders", {"kind": "unit-new", "form": dict(FORM, bonus="1")})
        self.assertEqual(answer.status, 400)
        self.assertEqual(browser.cookies, {})
        order = Order(self, creditCode="91350211M0000XUF46")
        self.assertEqual(order.now["warnings"], ["credit-code-check-digit"])
        self.assertEqual(Order(self).now["warnings"], [])

    def test_csrf_and_owner(self):
        order = Order(self)
        plain = order.browser.request("POST", order.path + "/cancel", '{"version":1}',
                                      {"Content-Type": "application/json", "X-Ukey": ""})
        self.assertEqual(plain.status, 403)
        foreign = order.browser.request("POST", order.path + "/cancel", {"version": 1},
                                        {"Origin": "http://evil.example"})
        self.assertEqual(foreign.status, 403)
        self.refused(Browser(self.world.ca_port).get(order.path), 401, "login-required")
        other = Order(self)
        self.refused(other.browser.get(order.path), 404, "not-found")
        self.refused(other.browser.get("/api/orders/UK000000AAAAAAAA"), 404, "not-found")
        cookie = Browser(self.world.ca_port).post("/api/orders", {"kind": "unit-new", "form": FORM})
        self.assertRegex(cookie.headers["Set-Cookie"], "HttpOnly.*SameSite=Strict|SameSite=Strict.*HttpOnly")

    def test_edit_and_version(self):
        """[N4, C5] back with everything kept; an old version is refused"""
        order = Order(self).identity().until("confirm")
        version = order.now["version"]
        changed = dict(order.form, address="福建省福州市鼓楼区二号")
        order.take(order.browser.put(order.path + "/form", {"version": version, "form": changed}))
        self.assertEqual(order.now["state"], "confirm")
        self.assertEqual(order.now["form"]["address"], "福建省福州市鼓楼区二号")
        self.refused(order.browser.post(order.path + "/confirm", {"version": version}), 409, "version")
        # what the check proved has changed: it is asked for again
        changed["legalPersonName"] = "王五"
        order.take(order.browser.put(order.path + "/form", {"version": order.now["version"], "form": changed}))
        self.assertEqual((order.now["state"], order.now["identity"]["status"]), ("identity", "none"))

    def test_identity_failures(self):
        """[N3, C4] each failure says why; the fourth attempt of the day is refused"""
        order = Order(self)
        answer = order.browser.post(order.path + "/identity", {"method": "mobile", "phone": "1"})
        self.refused(answer, 400, "phone-invalid", "phone")
        answer = order.browser.post(order.path + "/identity", {"method": "mobile", "phone": "13700000001", "card": "6222020000000001"})
        self.assertEqual(answer.status, 400)
        answer = order.browser.post(order.path + "/identity", {"method": "horoscope"})
        self.assertEqual(answer.status, 400)
        order.identity({"method": "mobile", "phone": "13700000002"})
        self.assertEqual(order.now["identity"], {"method": "mobile", "status": "failed",
                                                 "reason": "mismatch", "attemptsLeft": 2})
        order.identity({"method": "bank-card", "card": "6222020000000003", "phone": "13700000001"})
        self.assertEqual((order.now["identity"]["reason"], order.now["identity"]["attemptsLeft"]),
                         ("no-record", 1))
        order.identity({"method": "account", "account": "350000000002", "bank": "工商银行"})
        self.assertEqual((order.now["identity"]["reason"], order.now["identity"]["attemptsLeft"]),
                         ("mismatch", 0))
        answer = order.browser.post(order.path + "/identity", {"method": "mobile", "phone": "13700000001"})
        self.refused(answer, 429, "too-many-attempts")
        self.assertEqual(order.refresh().now["form"], order.form)

    def test_identity_each_way(self):
        """[C1, C4] every failure of each way; nobody's answer is nobody's attempt; three a day"""
        ways = {
            "mobile": lambda end: {"phone": "1370000" + end},
            "bank-card": lambda end: {"card": "622202000000" + end, "phone": "13700000001"},
            "account": lambda end: {"account": "35000000" + end, "bank": "工商银行"},
        }
        orders = {way: Order(self) for way in ways}

        def ask(way, end):
            return orders[way].browser.post(orders[way].path + "/identity", dict(ways[way](end), method=way))

        def failed(end, reason, left):
            for way, order in orders.items():
                order.take(ask(way, end))
                self.assertIn(order.now["identity"]["status"], ("checking", "failed"))  # it may be quick
            for way, order in orders.items():
                wait_until(lambda: order.refresh().now["identity"]["status"] == "failed", 60)
                self.assertEqual(order.now["identity"], {"method": way, "status": "failed", "reason": reason,
                                                         "attemptsLeft": left})
                self.assertEqual((order.now["state"], order.now["form"]), ("identity", order.form))

        failed("0004", "service-unavailable", 3)
        failed("0002", "mismatch", 2)
        failed("0003", "no-record", 1)
        failed("0002", "mismatch", 0)
        for way in orders:
            answer = ask(way, "0001")
            self.refused(answer, 429, "too-many-attempts")
            self.assertEqual(answer.json["error"]["attemptsLeft"], 0)
        try:
            self.world.clock(86401 - (int(time.time()) + 8 * 3600) % 86400)  # tomorrow in Beijing
            for way, order in orders.items():
                self.assertEqual(order.refresh().now["identity"]["attemptsLeft"], 3)
                order.take(ask(way, "0001")).until("confirm")
        finally:
            self.world.clock(0)

    def test_photos(self):
        """[N5] no photo, too small, too large, not asked for; then all of them"""
        order = Order(self).to_documents()
        self.assertEqual(order.now["documentsNeeded"], NEEDED)
        path = order.path + "/documents/business-licence"
        self.refused(order.browser.put(path, b"no photo at all" * 100, "image/png"), 400, "photo-type")
        self.refused(order.browser.put(path, PHOTO[:2000], "image/png"), 400, "photo-unreadable")
        self.refused(order.browser.put(path, png(64, 64), "image/png"), 400, "photo-too-small")
        self.assertEqual(order.browser.put(path, b"<html>", "text/html").status, 415)
        self.refused(order.browser.put(order.path + "/documents/holder-front", PHOTO, "image/png"), 404, "not-found")
        self.refused(order.browser.put(order.path + "/documents/passport", PHOTO, "image/png"), 404, "not-found")
        self.too_large(order, path)
        answer = order.browser.post(order.path + "/submit", {"version": order.refresh().now["version"]})
        self.refused(answer, 409, "documents-missing")
        order.photos()
        self.assertEqual(sorted(order.now["documents"]), sorted(NEEDED))
        self.assertEqual(order.now["documents"]["agent-back"]["width"], 640)
        photo = order.browser.get(path)
        self.assertEqual((photo.status, photo.headers["Content-Type"]), (200, "image/jpeg"))
        self.assertTrue(photo.body.startswith(b"\xff\xd8"))
        self.assertEqual(order.step("submit").now["state"], "signature")

    def too_large(self, order, path):
        try:
            answer = order.browser.put(path, b"\xff\xd8" + bytes(20 * 1024 * 1024), "image/jpeg")
            self.assertEqual(answer.status, 413)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused by its length, before it was read

    def test_signature_codes(self):
        """[N6, C7] too early, wrong, expired, exhausted; another order's code"""
        order = Order(self).to_signature()
        sign = order.path + "/signature"
        code = order.ask_code()
        early = order.browser.post(sign + "/code")
        self.refused(early, 429, "code-too-early")
        self.assertGreater(early.json["error"]["retryAfter"], 0)
        wrong = "000000" if code != "000000" else "000001"
        for left in (4, 3, 2, 1):
            answer = order.browser.post(sign, {"code": wrong})
            self.refused(answer, 400, "code-wrong", "code")
            self.assertEqual(answer.json["error"]["attemptsLeft"], left)
        self.refused(order.browser.post(sign, {"code": wrong}), 400, "code-exhausted")
        self.refused(order.browser.post(sign, {"code": code}), 400, "code-exhausted")
        other = Order(self).to_signature()
        self.refused(order.browser.post(sign, {"code": other.ask_code()}), 400, "code-exhausted")
        self.assertEqual(order.refresh().now["state"], "signature")

    def test_signature_of_another_phone(self):
        """[N6, C7] the code signs for the phone it went to, not for one that is written in later"""
        order = Order(self).to_signature()
        code = order.ask_code()
        changed = dict(order.form, agentPhone=phone())
        order.take(order.browser.put(order.path + "/form", {"version": order.now["version"], "form": changed}))
        order.step("confirm").step("submit")
        self.refused(order.browser.post(order.path + "/signature", {"code": code}), 400, "code-expired", "code")
        self.assertEqual(order.refresh().now["state"], "signature")

    def test_signature_expired(self):
        """[N6] a code of five minutes ago"""
        order = Order(self).to_signature()
        code = order.ask_code()
        try:
            self.world.clock(301)
            self.refused(order.browser.post(order.path + "/signature", {"code": code}), 400, "code-expired")
            order.sign()
            self.assertEqual(order.now["state"], "payment")
            self.assertEqual(order.now["signature"]["phone"], order.form["agentPhone"][:3] + "****" + order.form["agentPhone"][7:])
        finally:
            self.world.clock(0)

    def test_sms_fails(self):
        """a code that could not be sent does not hold up the next one"""
        order = Order(self).to_signature()
        self.world.fault(smsError="isv.BUSINESS_LIMIT_CONTROL")
        self.refused(order.browser.post(order.path + "/signature/code"), 503, "sms-unavailable")
        order.sign()
        self.assertEqual(order.now["state"], "payment")

    def test_cancel(self):
        order = Order(self).step("cancel")
        self.assertEqual((order.now["state"], order.now["actions"]), ("cancelled", []))
        answer = order.browser.post(order.path + "/identity", {"method": "mobile", "phone": "13700000001"})
        self.assertEqual(answer.status, 409)

    def test_query(self):
        """[Q1, Q2] the same answer for every number; only orders of the phone that got the code"""
        number = "91110108722619411A"
        mine = Order(self, creditCode=number).to_signature().sign()
        theirs = Order(self, creditCode=number)  # somebody else, with another phone
        stranger = Browser(self.world.ca_port)
        unknown = stranger.post("/api/query/code", {"kind": "unit", "number": "9144030071526726XG"})
        known = stranger.post("/api/query/code", {"kind": "unit", "number": number.lower()})
        self.assertEqual((unknown.status, unknown.body), (known.status, known.body))
        self.assertEqual(known.json, {"sent": True})
        for n in (number, "9144030071526726XG"):
            again = stranger.post("/api/query/code", {"kind": "unit", "number": n})
            self.refused(again, 429, "code-too-early")
        code = self.world.code(mine.form["agentPhone"], "查询")
        self.assertEqual([m for m in self.world.messages(theirs.form["agentPhone"]) if "查询" in m], [])
        self.assertEqual(stranger.get("/api/query").json, {"orders": [], "certificates": []})
        wrong = {"kind": "unit", "number": number, "code": "000000" if code != "000000" else "000001"}
        self.refused(stranger.post("/api/query", wrong), 400, "code-wrong")
        self.refused(stranger.post("/api/query", dict(wrong, number="9144030071526726XG")), 400, "code-wrong")
        found = stranger.post("/api/query", dict(wrong, code=code))
        self.assertEqual(found.status, 200, found.body)
        self.assertEqual([o["id"] for o in found.json["orders"]], [mine.now["id"]])
        self.assertEqual(stranger.get("/api/query").json, found.json)
        self.assertEqual(stranger.get(mine.path).status, 200)
        self.assertEqual(stranger.get(theirs.path).status, 404)
        # the order goes on from there [C13]
        self.assertEqual(stranger.post(mine.path + "/payment").status, 200)


class Payment(Case):
    def test_paid(self):
        """[N7, C8] the page again, the notification, the check"""
        order = Order(self).to_payment()
        first, second = order.pay_url(), order.pay_url()
        number = lambda url: re.search("UK[0-9A-Z]+P[0-9]+", urllib.parse.unquote(url)).group()
        self.assertEqual(number(first), number(second))
        self.assertEqual(order.take(order.browser.post(order.path + "/payment/check")).now["state"], "payment")
        self.world.cashier(second)
        order.until("review")
        self.assertEqual((order.now["payment"]["amount"], order.now["payment"]["status"]), (20000, "paid"))
        self.assertGreater(order.now["review"]["dueAt"], order.now["updatedAt"])

    def paper(self, order, name):
        answer = order.browser.get("%s/papers/%s" % (order.path, name))
        self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, "application/pdf"), answer.body)
        said = subprocess.run(["pdftotext", "-layout", "-", "-"], input=answer.body, capture_output=True, check=True)
        return said.stdout.decode()

    def test_papers(self):
        """[C7, Q3] details at any time; the application once signed, the receipt once paid"""
        order = Order(self).to_signature()
        said = self.paper(order, "details.pdf")
        self.assertIn(FORM["organisation"], said)
        self.assertIn("待签名验证", said)
        self.refused(order.browser.get(order.path + "/papers/application.pdf"), 409, "not-signed-yet")
        order.sign()
        self.refused(order.browser.get(order.path + "/papers/invoice.pdf"), 409, "not-paid-yet")
        self.world.cashier(order.pay_url())
        order.until("review")
        said = self.paper(order, "application.pdf")
        for text in ("数字证书业务申请表", "李四", "营业执照", "短信验证码", "340524********001X",
                     order.form["agentPhone"][:3] + "****"):
            self.assertIn(text, said)
        self.assertNotIn(FORM["agentId"], said)
        said = self.paper(order, "invoice.pdf")
        for text in (FORM["organisation"], FORM["creditCode"], "200.00", "支付宝", "增值税普通发票"):
            self.assertIn(text, said)
        self.refused(order.browser.get(order.path + "/papers/other.pdf"), 404, "not-found")
        self.refused(Browser(self.world.ca_port).get(order.path + "/papers/details.pdf"), 401, "login-required")

    def bad_notification(self, **fault):
        """Not taken, and not needed: what the gateway answers is what counts."""
        order = Order(self).to_payment()
        self.world.fault(**fault)
        self.world.cashier(order.pay_url())
        wait_until(lambda: "notify.alipay" in self.world.log_text().split(order.now["id"])[-1])
        self.assertEqual(order.refresh().now["state"], "payment")
        order.take(order.browser.post(order.path + "/payment/check"))
        self.assertEqual(order.now["state"], "review")
        self.assertEqual(order.now["payment"]["status"], "paid")

    def test_notification_of_another_amount(self):
        """a hint like any other: the gateway is asked, and says the right one"""
        order = Order(self).to_payment()
        self.world.fault(notifyWrongAmount=True)
        self.world.cashier(order.pay_url())
        order.until("review")
        self.assertEqual(order.now["payment"]["status"], "paid")

    def test_notification_badly_signed(self):
        self.bad_notification(notifyBadSignature=True)

    def test_notification_for_another_app(self):
        self.bad_notification(notifyForeignApp=True)

    def test_forged(self):
        """nobody can say that it is paid"""
        order = Order(self).to_payment()
        url = urllib.parse.unquote(order.pay_url())
        number = re.search("UK[0-9A-Z]+P[0-9]+", url).group()
        form = {"out_trade_no": number, "trade_status": "TRADE_SUCCESS", "total_amount": "200.00",
                "notify_id": "1", "app_id": re.search("app_id=([0-9]+)", url).group(1), "trade_no": "1",
                "sign_type": "RSA2", "sign": b64(bytes(256))}
        for body in (urllib.parse.urlencode(form), "out_trade_no=" + number, ""):
            answer = Browser(self.world.ca_port).request(
                "POST", "/notify/alipay", body, {"Content-Type": "application/x-www-form-urlencoded"})
            self.assertEqual((answer.status, answer.body), (200, b"fail"))
        bank = Browser(self.world.ca_port).request(
            "POST", "/notify/bank", '{"id":"x"}', {"Content-Type": "application/json"})
        self.assertEqual(bank.status, 401)
        self.assertEqual(order.refresh().now["state"], "payment")

    def test_paid_after_cancel(self):
        """[C8] money that comes after the order is over goes back by itself"""
        order = Order(self).to_payment()
        page = self.world.cashier(order.pay_url(), action=None)
        self.world.fault(alipayError="ACQ.SYSTEM_ERROR")  # so that the trade is not closed at once
        order.refresh().step("cancel")
        self.assertEqual(order.now["state"], "cancelled")
        self.world.press(page)
        wait_until(lambda: order.refresh().now["state"] in ("refunded", "refund-by-hand"), 60)
        self.assertEqual((order.now["state"], order.now["payment"]["status"]), ("refunded", "refunded"))
        wait_until(lambda: any("退款" in m for m in self.world.messages(order.form["agentPhone"])))


class Late(Case):
    """In a world of its own: no other order may use up the fault."""

    def test_notified_five_times(self):
        order, before = Order(self).to_payment(), self.notified()
        self.world.fault(notifyDuplicates=4)
        self.world.cashier(order.pay_url())
        order.until("review")
        version = order.now["version"]
        wait_until(lambda: self.notified() >= before + 5)
        time.sleep(0.5)
        self.assertEqual(self.notified(), before + 5)
        self.assertEqual(order.refresh().now["version"], version)
        self.assertEqual(order.now["payment"]["status"], "paid")
        with self.world.database() as db:
            count = lambda sql: db.execute(sql, (order.now["id"],)).fetchone()[0]
            self.assertEqual(count("SELECT COUNT(*) FROM payments WHERE order_id = ?"), 1)
            self.assertEqual(count("SELECT COUNT(*) FROM order_events WHERE order_id = ? AND event = 'paid'"), 1)
            self.assertEqual(count("SELECT COUNT(*) FROM tasks WHERE order_id = ?"), 0)
            self.assertEqual(count("SELECT COUNT(*) FROM strays WHERE order_id = ?"), 0)

    def notified(self):
        return len(re.findall("http.request .*path=/notify/alipay", self.world.log_text()))

    def test_paid_after_time_out(self):
        """[C8] paid at the last moment, heard of too late"""
        order = Order(self).to_payment()
        page = self.world.cashier(order.pay_url(), action=None)
        self.world.fault(notifyDelaySeconds=86400)
        self.world.press(page)
        self.world.fault(alipayError="ACQ.SYSTEM_ERROR")  # for our own question
        try:
            self.world.clock(25 * 3600)
            wait_until(lambda: self.state(order) in ("expired", "refunding", "refunded"), 60)
            wait_until(lambda: self.state(order) == "refunded", 60)
        finally:
            self.world.clock(0)

    def state(self, order):
        """As it stands in the database: the applicant's session has ended long before."""
        with self.world.database() as db:
            return db.execute("SELECT state FROM orders WHERE id = ?", (order.now["id"],)).fetchone()[0]


class Staffed(Case):
    """A CA with its staff and a production station."""

    @classmethod
    def prepare(cls):
        w = cls.world
        cls.reviewer = w.staff("审核员", "reviewer")
        cls.producer = w.staff("制证员", "producer")
        cls.auditor = w.staff("审计员", "auditor")
        cls.station = Key(os.path.join(w.dir, "station.key"))
        with open(os.path.join(w.dir, "station.jwk"), "w", encoding="ascii") as f:
            json.dump(cls.station.jwk(), f)
        w.run("station", "add", "--dir", w.ca_dir, "--name", "一号机", "--key", os.path.join(w.dir, "station.jwk"))
        for s in (cls.reviewer, cls.producer, cls.auditor):
            assert s.login().status == 200

    def detail(self, staff, order):
        answer = staff.browser.get("/api/staff" + order.path[4:])
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json

    def do(self, staff, order, what, body=None, status=200):
        path = "/api/staff%s/%s" % (order.path[4:], what)
        body = dict(body or {})
        if "version" in body and body["version"] is None:
            body["version"] = self.detail(staff, order)["version"]
        answer = staff.browser.post(path, body)
        self.assertEqual(answer.status, status, answer.body)
        return answer

    def approved(self, identity=None, by=None):
        order = Order(self).to_review(identity)
        self.do(by or self.reviewer, order, "approve", {"version": None})
        return order.until("production")

    def ask_ticket(self, order, station=None, who=None, **change):
        channel = Key(os.path.join(self.world.dir, "channel.key"))
        body = {"token": "", "channel": channel.jwk(),
                "vouch": (station or self.station).vouch(channel, self.world.origin)}
        body.update(change)
        return (who or self.producer).browser.post("/api/staff%s/ticket" % order.path[4:], body)

    def fetch(self, path):
        answer = Browser(self.world.ca_port).get(path)
        self.assertEqual(answer.status, 200, path)
        return answer.body


class Desk(Staffed):
    @classmethod
    def prepare(cls):
        Staffed.prepare.__func__(cls)  # also for those who borrow this one
        cls.both = cls.world.staff("多面手", "reviewer,producer")
        cls.finance = cls.world.staff("财务员", "finance")
        for s in (cls.both, cls.finance):
            assert s.login().status == 200

    # log-in

    def test_login(self):
        """[A1]"""
        me = self.reviewer.browser.get("/api/staff/me").json
        self.assertEqual(me, {"name": "审核员", "roles": ["reviewer"]})
        nobody = Browser(self.world.ca_port)
        self.refused(nobody.get("/api/staff/me"), 401, "login-required")
        self.refused(nobody.get("/api/staff/orders?queue=review"), 401, "login-required")

    def test_login_refused(self):
        s = self.world.staff("新人", "reviewer")
        c = s.challenge()
        self.refused(s.login(c, key=self.producer.key), 401, "login-refused")
        self.refused(s.login(c), 401, "login-refused")  # the nonce was spent
        self.refused(s.login(origin="http://evil.example"), 401, "login-refused")
        self.refused(s.login(dict(s.challenge(), audience="other")), 401, "login-refused")
        self.refused(s.login(dict(s.challenge(), nonce="0" * 64)), 401, "login-refused")
        c = s.challenge()
        try:
            self.world.clock(121)
            self.refused(s.login(c), 401, "login-refused")
        finally:
            self.world.clock(0)
        self.assertEqual(s.login().status, 200)
        self.assertEqual(s.browser.post("/api/staff/logout").status, 200)
        self.assertEqual(s.browser.get("/api/staff/me").status, 401)

    def test_foreign_certificate(self):
        key = os.path.join(self.world.dir, "foreign.key")
        foreign = Key(key)
        cert = openssl("req", "-x509", "-new", "-key", key, "-subj", "/CN=审核员", "-days", "1", "-outform", "DER")
        browser = Browser(self.world.ca_port)
        c = browser.post("/api/staff/challenge").json
        answer = browser.post("/api/staff/login", {"nonce": c["nonce"], "certificate": b64(cert),
                                                   "signature": foreign.login(self.world.origin, c)})
        self.refused(answer, 401, "login-refused")

    def test_revoked(self):
        """[C14] a revoked certificate ends the session and is on the list"""
        s = self.world.staff("离职者", "reviewer")
        self.assertEqual(s.login().status, 200)
        self.world.run("revoke", "--dir", self.world.ca_dir, "--serial", s.serial, "--reason", "cessation-of-operation")
        self.assertEqual(s.browser.get("/api/staff/me").status, 401)
        self.refused(s.login(), 401, "login-refused")
        crl = wait_until(lambda: self.on_list(s.serial), 30)
        self.assertTrue(crl)

    def ocsp(self, serial, get=False):
        """What the openssl command says after asking the server, by POST of its own or by GET"""
        place = self.world.dir
        for name in ("issuer", "root"):
            with open(os.path.join(place, "ocsp-%s.pem" % name), "wb") as f:
                f.write(openssl("x509", "-inform", "DER", data=self.fetch("/ca/%s.cer" % name)))
        common = ["openssl", "ocsp", "-sha256" if get else "-sha1", "-issuer", "ocsp-issuer.pem", "-serial", "0x" + serial]
        check = ["-CAfile", "ocsp-root.pem", "-verify_other", "ocsp-issuer.pem"]
        if get:
            subprocess.run(common + ["-reqout", "ocsp.req"], cwd=place, check=True, capture_output=True)
            with open(os.path.join(place, "ocsp.req"), "rb") as f:
                path = "/ca/ocsp/" + urllib.parse.quote(b64(f.read()), safe="")
            answer = Browser(self.world.ca_port).get(path)
            self.assertEqual(answer.headers["Content-Type"], "application/ocsp-response")
            with open(os.path.join(place, "ocsp.resp"), "wb") as f:
                f.write(answer.body)
            common += ["-no_nonce", "-respin", "ocsp.resp"]
        else:
            common += ["-url", "http://127.0.0.1:%d/ca/ocsp" % self.world.ca_port]
        done = subprocess.run(common + check, cwd=place, capture_output=True, text=True)
        self.assertIn("Response verify OK", done.stderr)
        self.assertNotIn("Nonce", done.stdout + done.stderr)
        return done.stdout

    def test_ocsp(self):
        """[C14] the status at once, by POST and by GET"""
        s = self.world.staff("甲", "auditor")
        address = openssl("x509", "-inform", "DER", "-noout", "-ocsp_uri", data=s.certificate).decode().strip()
        self.assertEqual(address, self.world.origin + "/ca/ocsp")
        self.assertIn(": good", self.ocsp(s.serial))
        self.assertIn(": good", self.ocsp(s.serial, get=True))
        self.assertIn("0x1234: unknown", self.ocsp("1234"))
        self.world.run("revoke", "--dir", self.world.ca_dir, "--serial", s.serial, "--reason", "key-compromise")
        for get in (False, True):
            said = self.ocsp(s.serial, get)
            self.assertIn(": revoked", said)
            self.assertIn("keyCompromise", said)
        browser = Browser(self.world.ca_port)
        malformed = b"\x30\x03\x0a\x01\x01"
        for path in ("/ca/ocsp/AAAA", "/ca/ocsp/%25", "/ca/ocsp/a/b", "/ca/ocsp/" + "A" * 6000):
            self.assertEqual(browser.get(path).body, malformed, path)
        headers = {"Content-Type": "application/ocsp-request"}
        self.assertEqual(browser.request("POST", "/ca/ocsp", b"\x30\x00", headers).body, malformed)
        self.assertEqual(browser.request("POST", "/ca/ocsp", b"\x30" * 5000, headers).status, 413)
        self.assertEqual(browser.request("POST", "/ca/ocsp", {}).status, 415)

    def test_certificate_status(self):
        """[C14] [M2] lost, found, lost for good: by the staff, in force at once"""
        lost = self.world.staff("乙", "auditor")
        base = "/api/staff/certificates/" + lost.serial
        self.assertEqual(lost.login().status, 200)
        chief = self.world.staff("管理员", "administrator")
        self.assertEqual(chief.login().status, 200)
        for s in (self.auditor, self.reviewer):  # not a colleague's
            self.refused(s.browser.post(base + "/suspend"), 403, "role-missing")
        answer = chief.browser.post(base + "/suspend")
        self.assertEqual((answer.status, answer.json["status"]), (200, "suspended"))
        self.assertEqual(lost.browser.get("/api/staff/me").status, 401)
        self.refused(lost.login(), 401, "login-refused")
        said = self.ocsp(lost.serial)
        self.assertIn("certificateHold", said)
        wait_until(lambda: self.on_list(lost.serial), 30)
        self.assertEqual(chief.browser.post(base + "/resume").json["status"], "valid")
        self.assertIn(": good", self.ocsp(lost.serial))
        wait_until(lambda: not self.on_list(lost.serial), 30)
        self.assertEqual(lost.login().status, 200)
        self.refused(chief.browser.post(base + "/revoke", {"reason": "hold"}), 400, "invalid-input", "reason")
        answer = chief.browser.post(base + "/revoke", {"reason": "superseded"})
        self.assertEqual((answer.json["status"], answer.json["reason"]), ("revoked", "superseded"))
        self.refused(chief.browser.post(base + "/resume"), 409, "certificate-revoked")
        seen = self.auditor.browser.get(base).json
        self.assertEqual([e["event"] for e in seen["history"]], ["suspended", "resumed", "revoked"])
        found = self.auditor.browser.get("/api/staff/certificates?serial=" + lost.serial).json["certificates"]
        self.assertEqual([c["status"] for c in found], ["revoked"])
        self.assertEqual(self.auditor.browser.get("/api/staff/certificates?serial=00").json, {"certificates": []})
        self.refused(self.auditor.browser.get("/api/staff/certificates"), 400, "invalid-input", "serial")
        self.refused(self.reviewer.browser.post("/api/staff/certificates/00/suspend"), 404, "certificate-not-found")
        self.assertEqual(Browser(self.world.ca_port).get("/ca/cps").status, 303)

    def on_list(self, serial):
        answer = Browser(self.world.ca_port).get("/ca/crl.crl")
        if answer.status != 200:
            return False
        text = openssl("crl", "-inform", "DER", "-noout", "-text", data=answer.body).decode().lower()
        return serial.lstrip("0") in text

    def test_roles(self):
        order = Order(self).to_review()
        base = "/api/staff" + order.path[4:]
        for s, what in ((self.producer, "approve"), (self.auditor, "approve"), (self.reviewer, "claim")):
            self.refused(s.browser.post("%s/%s" % (base, what), {"version": order.now["version"]}), 403, "role-missing")
        self.refused(self.producer.browser.get(base + "/documents/agent-front"), 403, "role-missing")
        self.assertEqual(self.reviewer.browser.get(base + "/documents/agent-front").headers["Content-Type"], "image/jpeg")
        # who makes keys reads no identity numbers
        self.assertNotIn(order.form["legalPersonId"], str(self.detail(self.producer, order)))
        self.assertEqual(self.detail(self.reviewer, order)["form"], order.form)

    # review

    def test_review_queue(self):
        """[A2]"""
        order = Order(self).to_review()
        queue = self.reviewer.browser.get("/api/staff/orders?queue=review").json["orders"]
        item = [o for o in queue if o["id"] == order.now["id"]][0]
        self.assertEqual((item["holder"], item["state"], item["overdue"]), (FORM["organisation"], "review", False))
        detail = self.detail(self.reviewer, order)
        self.assertEqual(detail["evidence"]["identity"]["outcome"], "match")
        self.assertEqual(len(detail["evidence"]["signature"]["sha256"]), 64)
        self.assertIn("sign", [h["event"] for h in detail["history"]])
        self.assertEqual(self.reviewer.browser.get("/api/staff/orders?queue=none").status, 400)

    def test_reject_correct_resubmit(self):
        """[N8, C9] the reason by message; corrected without paying again"""
        order = Order(self).to_review()
        self.do(self.reviewer, order, "reject", {"version": None, "reason": "nonsense", "note": "x"}, 400)
        self.do(self.reviewer, order, "reject", {"version": None, "reason": "document-unclear", "note": "照片不清楚"})
        order.refresh()
        self.assertEqual(order.now["state"], "rejected")
        self.assertEqual((order.now["review"]["reason"], order.now["review"]["note"]), ("document-unclear", "照片不清楚"))
        wait_until(lambda: any("未通过审核" in m for m in self.world.messages(order.form["agentPhone"])))
        order.take(order.browser.put(order.path + "/documents/business-licence", png(800, 600), "image/png"))
        order.step("submit")
        try:
            self.world.clock(61)
            order.sign()
        finally:
            self.world.clock(0)
        self.assertEqual((order.now["state"], order.now["payment"]["status"]), ("review", "paid"))

    def test_reject_refund(self):
        """[C9] or the money back"""
        order = Order(self).to_review()
        self.do(self.reviewer, order, "reject", {"version": None, "reason": "other", "note": "不符合条件"})
        order.refresh().step("refund").until("refunded")

    # production

    def test_whole(self):
        """[N1-N9] to the posted key; the password by message [C3]"""
        legal = "13700000001"
        order = self.approved()
        wait_until(lambda: any("已审核通过" in m for m in self.world.messages(order.form["agentPhone"])))
        pin = self.world.code(legal, "证书密码")
        self.assertEqual(order.now["password"]["sentTo"], "137****0001")
        self.assertFalse(any(pin in m for m in self.world.messages(order.form["agentPhone"])))
        self.make(order)
        order.refresh()
        self.assertEqual((order.now["state"], order.now["shipping"]["tracking"]), ("done", "SF1234567890"))
        self.assertIn(FORM["organisation"], order.now["certificate"]["subject"])
        wait_until(lambda: any("SF1234567890" in m for m in self.world.messages(order.form["agentPhone"])))
        self.nothing_personal(order, pin)

    def test_account(self):
        """[C1, C3] by micro-payment: the password is in the remark, and nowhere else"""
        account = "350000000001"
        order = self.approved({"method": "account", "account": account, "bank": "工商银行"})
        remarks = wait_until(lambda: self.world.records(account))
        self.assertRegex(" ".join(remarks), r"\d{6}")
        self.assertEqual(order.now["password"]["channel"], "remark")

    def test_account_bounces(self):
        """[C1] stops the order before production"""
        order = Order(self).to_review({"method": "account", "account": "350000000009", "bank": "工商银行"})
        self.do(self.reviewer, order, "approve", {"version": None})
        order.until("delivery-failed")
        self.do(self.producer, order, "redeliver", {"version": None}, 403)
        self.do(self.reviewer, order, "redeliver", {"version": None})
        order.until("delivery-failed")
        self.do(self.finance, order, "refund", {"version": None})
        order.until("refunded")

    def make(self, order):
        self.do(self.producer, order, "claim", {"version": None})
        self.assertEqual(self.ask_ticket(order, station=Key(os.path.join(self.world.dir, "other.key"))).reason, "station-unknown")
        self.assertEqual(self.ask_ticket(order, vouch="a.b.c").status, 400)
        answer = self.ask_ticket(order)
        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(answer.json["ticket"].count("."), 4)
        key = Key(os.path.join(self.world.dir, "customer.key"))
        self.do(self.producer, order, "request", {"token": "T0001", "request": b64(b"\x30\x00")}, 400)
        self.do(self.producer, order, "request", {"token": "T0001", "request": b64(key.request())})
        order.until("proving")
        detail = self.detail(self.producer, order)
        self.prove(order, detail, key)
        label = self.producer.browser.get("/api/staff%s/label" % order.path[4:])
        self.assertIn(order.form["address"], label.body.decode())
        self.do(self.producer, order, "shipment", {"version": None, "carrier": "顺丰速运", "tracking": "<b>"}, 400)
        self.do(self.producer, order, "shipment", {"version": None, "carrier": "顺丰速运", "tracking": "SF1234567890"})

    def prove(self, order, detail, key):
        certificate = detail["certificateDer"]
        other = Key(os.path.join(self.world.dir, "other.key"))
        wrong = {"signature": other.login(self.world.origin, detail["challenge"]), "certificate": certificate}
        self.assertEqual(self.do(self.producer, order, "proof", wrong, 400).reason, "proof-refused")
        right = {"signature": key.login(self.world.origin, detail["challenge"]), "certificate": certificate}
        self.do(self.producer, order, "proof", dict(right, certificate=b64(self.reviewer.certificate)), 400)
        try:
            self.world.clock(240)
            self.do(self.producer, order, "proof", right, 400)
            self.world.clock(detail["challenge"]["expires"] - 5 - int(time.time()))
            self.do(self.producer, order, "proof", right)
        finally:
            self.world.clock(0)
        self.assertEqual(order.refresh().now["state"], "shipping")
        self.do(self.producer, order, "proof", right, 409)
        found = self.auditor.browser.post("/api/staff/certificates/search", {"number": order.form["creditCode"]})
        self.assertIn((order.now["id"], "T0001", "valid"),
                      [(c["order"], c["token"], c["status"]) for c in found.json["certificates"]])

    def nothing_personal(self, order, pin):
        """Not in the log, not in the database's files."""
        secrets = [pin, order.form["legalPersonId"], order.form["agentId"], order.form["agentPhone"],
                   order.form["legalPersonName"], order.form["address"]]
        files = [os.path.join(self.world.ca_dir, n) for n in os.listdir(self.world.ca_dir) if "ukey-ca.db" in n]
        for path in files:
            with open(path, "rb") as f:
                data = f.read()
            for s in secrets[1:]:
                self.assertNotIn(s.encode(), data, path)
        ours = "\n".join(l for l in self.world.log_text().splitlines() if " ukey-ca " in l)
        for s in secrets[1:]:
            self.assertNotIn(s, ours)

    def test_revoked_is_refused(self):
        """[C14] the openssl command, by the list at the address in the certificate"""
        order = self.approved()
        self.make(order)
        pem = {}
        for name, der in (("leaf", base64.b64decode(self.detail(self.producer, order)["certificateDer"])),
                          ("issuer", self.fetch("/ca/issuer.cer")), ("root", self.fetch("/ca/root.cer"))):
            pem[name] = os.path.join(self.world.dir, "revoked-%s.pem" % name)
            with open(pem[name], "wb") as f:
                f.write(openssl("x509", "-inform", "DER", data=der))
        text = openssl("x509", "-in", pem["leaf"], "-noout", "-text").decode()
        address = re.search(r"URI:%s(/ca/\S+\.crl)" % re.escape(self.world.origin), text).group(1)
        self.assertIn(": OK", self.verify(pem, address))
        self.world.run("revoke", "--dir", self.world.ca_dir, "--serial", order.refresh().now["certificate"]["serial"],
                       "--reason", "key-compromise")
        wait_until(lambda: "certificate revoked" in self.verify(pem, address))

    def verify(self, pem, address):
        """What `openssl verify` says."""
        crl = os.path.join(self.world.dir, "revoked.crl")
        with open(crl, "wb") as f:
            f.write(openssl("crl", "-inform", "DER", data=self.fetch(address)))
        done = subprocess.run(["openssl", "verify", "-crl_check", "-CRLfile", crl, "-CAfile", pem["root"],
                               "-untrusted", pem["issuer"], pem["leaf"]], capture_output=True, text=True)
        return done.stdout + done.stderr

    def test_four_eyes(self):
        """[A1] nobody reviews and produces one order"""
        order = self.approved(by=self.both)
        answer = self.both.browser.post("/api/staff%s/claim" % order.path[4:],
                                        {"version": self.detail(self.both, order)["version"]})
        self.refused(answer, 403, "same-person")
        self.do(self.producer, order, "claim", {"version": None})
        self.refused(self.ask_ticket(order, who=self.both), 409, "ticket-refused")
        self.assertEqual(self.ask_ticket(order).status, 200)

    def test_three_tickets(self):
        order = self.approved()
        self.do(self.producer, order, "claim", {"version": None})
        for _ in range(3):
            self.assertEqual(self.ask_ticket(order).status, 200)
        self.refused(self.ask_ticket(order), 409, "ticket-refused")

    def test_killed_between_payment_and_review(self):
        """what is paid stays paid"""
        order = Order(self).to_payment()
        page = self.world.cashier(order.pay_url(), action=None)
        self.world.kill_ca()
        self.world.press(page)
        self.world.start_ca()
        order.take(order.browser.post(order.path + "/payment/check"))
        self.assertEqual(order.now["state"], "review")
        self.world.kill_ca()
        self.world.start_ca()
        self.assertEqual(order.refresh().now["state"], "review")
        self.assertEqual(self.reviewer.browser.get("/api/staff/me").status, 200)
        self.do(self.reviewer, order, "approve", {"version": None})
        self.world.kill_ca()
        self.world.start_ca()
        try:
            self.world.clock(600)  # past the lease of the job that died with the server
            order.until("production")
        finally:
            self.world.clock(0)
        passwords = [m for m in self.world.messages("13700000001") if "证书密码" in m]
        self.assertTrue(passwords)


class Dual(Staffed):
    """A CA with SM2, its staff's keys, and the customers' pairs of certificates."""

    ALGORITHM = "sm2"

    def path(self, name):
        return os.path.join(self.world.dir, name)

    def pem(self, name, der):
        with open(self.path(name), "wb") as f:
            f.write(openssl("x509", "-inform", "DER", data=der))
        return self.path(name)

    def believed(self, leaf):
        """The command takes SM2's identifier for one certificate at a time"""
        issuer = self.pem("issuer.pem", self.fetch("/ca/issuer.cer"))
        root = self.pem("root.pem", self.fetch("/ca/root.cer"))
        option = ["verify", "-x509_strict", "-vfyopt", SM2_ID]
        openssl(*option, "-CAfile", root, issuer)
        openssl(*option, "-partial_chain", "-trusted", issuer, leaf)

    def issued(self, key, token):
        """An order in `proving`, and its detail"""
        order = self.approved()
        self.do(self.producer, order, "claim", {"version": None})
        self.assertEqual(self.ask_ticket(order).status, 200)
        wrong = b64(key.request("distid:somebody"))
        answer = self.do(self.producer, order, "request", {"token": token, "request": wrong}, 422)
        self.assertEqual(answer.reason, "request-signature-wrong")
        self.do(self.producer, order, "request", {"token": token, "request": b64(key.request())})
        order.until("proving")
        return order, self.detail(self.producer, order)

    def opens(self, leaf, key):
        """A text encrypted to the certificate opens with the key"""
        with open(self.path("public.pem"), "wb") as f:
            f.write(openssl("x509", "-in", leaf, "-noout", "-pubkey"))
        sealed = openssl("pkeyutl", "-encrypt", "-pubin", "-inkey", self.path("public.pem"), data="机密".encode())
        return openssl("pkeyutl", "-decrypt", "-inkey", key.path, data=sealed).decode() == "机密"

    def test_pair(self):
        """[N9] two certificates, and the second key under envelope, the same however often it is asked for"""
        key = Key(self.path("customer.key"), "sm2")
        order, detail = self.issued(key, "S0001")
        sign = self.pem("sign.pem", base64.b64decode(detail["certificateDer"]))
        encrypt = self.pem("encrypt.pem", base64.b64decode(detail["encryption"]["certificate"]))
        for leaf, usage in ((sign, "Digital Signature, Non Repudiation"),
                            (encrypt, "Key Encipherment, Data Encipherment, Key Agreement")):
            self.believed(leaf)
            text = openssl("x509", "-in", leaf, "-noout", "-text").decode()
            self.assertIn(usage + "\n", text)
            self.assertIn("Signature Algorithm: SM2-with-SM3", text)
            self.assertIn("ASN1 OID: SM2", text)
        self.assertEqual(*[openssl("x509", "-in", n, "-noout", "-subject", "-dates") for n in (sign, encrypt)])
        self.assertEqual(detail["encryption"]["format"], "gbt35276")
        enveloped = base64.b64decode(detail["encryption"]["envelopedKey"])
        opened = key.open_envelope(enveloped, self.path("opened.key"))
        self.assertTrue(self.opens(encrypt, opened))
        self.assertEqual(self.detail(self.producer, order)["encryption"], detail["encryption"])
        base = "/api/staff%s/encryption" % order.path[4:]
        blob = self.producer.browser.get(base + "?format=skf").json
        self.assertEqual((blob["format"], len(base64.b64decode(blob["envelopedKey"]))), ("skf", 388))
        self.assertEqual(self.producer.browser.get(base).json, detail["encryption"])
        self.refused(self.producer.browser.get(base + "?format=pkcs12"), 400, "invalid-input", "format")
        self.refused(self.reviewer.browser.get(base), 403, "role-missing")
        right = {"signature": key.login(self.world.origin, detail["challenge"]), "certificate": detail["certificateDer"]}
        wrong = dict(right, signature=opened.login(self.world.origin, detail["challenge"]))
        self.assertEqual(self.do(self.producer, order, "proof", wrong, 400).reason, "proof-refused")
        self.do(self.producer, order, "proof", right)
        self.assertNotIn("encryption", self.detail(self.producer, order))
        self.status_of_both(order)
        with self.world.database() as db:
            pins = db.execute("SELECT state FROM token_pins WHERE token = 'S0001'").fetchall()
            self.assertEqual(pins, [("proved",)])

    def status_of_both(self, order):
        """[M2] lost together, found together"""
        base = "/api/staff/certificates"
        both = self.reviewer.browser.get(base + "?order=" + order.now["id"]).json["certificates"]
        self.assertEqual(sorted(c["usage"] for c in both), ["encrypt", "sign"])
        self.assertEqual({c["serial"] for c in both}, {c["pair"] for c in both})
        for what, status in (("suspend", "suspended"), ("resume", "valid")):
            self.assertEqual(self.reviewer.browser.post("%s/%s/%s" % (base, both[0]["serial"], what)).status, 200)
            for c in both:
                self.assertEqual(self.reviewer.browser.get("%s/%s" % (base, c["serial"])).json["status"], status)

    def recover(self, statement, to, first, second, reason=None, out="recovered", form=None):
        args = ["km", "recover", "--dir", self.world.ca_dir, "--statement", statement, "--to", to,
                "--approval", first, "--second", second, "--out", self.path(out)]
        done = self.world.run(*args, *(["--format", form] if form else []), check=False)
        if reason is None:
            self.assertEqual(done.returncode, 0, done.stderr)
        else:
            self.assertEqual(done.returncode, 1)
            self.assertIn(" %s" % reason, done.stderr)
            self.assertFalse(os.path.exists(self.path(out)))
        return done.stdout

    def ask(self, serial, to, name="statement"):
        self.world.run("km", "ask", "--dir", self.world.ca_dir, "--serial", serial, "--to", to,
                       "--statement", self.path(name))
        return self.path(name)

    def approve(self, staff, statement):
        """What `ukey sign --format raw` writes"""
        path = "%s.%s.sig" % (statement, staff.serial)
        with open(statement, "rb") as f, open(path, "wb") as out:
            out.write(staff.key.sign(f.read()))
        return path

    def test_recover(self):
        """the encryption key again, wrapped to another signing key, once two administrators have signed"""
        world = self.world
        a, b, c = (world.staff(n, "administrator") for n in ("管理员甲", "管理员乙", "管理员丙"))
        order, detail = self.issued(Key(self.path("lost.key"), "sm2"), "S0002")
        encrypt = self.pem("kept.pem", base64.b64decode(detail["encryption"]["certificate"]))
        both = self.reviewer.browser.get("/api/staff/certificates?order=" + order.now["id"]).json["certificates"]
        serial = {c["usage"]: c["serial"] for c in both}
        holder = world.staff("新钥匙", "auditor")  # any signing certificate of this CA
        refused = ["km", "ask", "--dir", world.ca_dir, "--statement", self.path("no"), "--to", holder.path, "--serial"]
        for wrong in (serial["sign"], "1234"):
            self.assertEqual(world.run(*refused, wrong, check=False).returncode, 1)
        statement = self.ask(serial["encrypt"], holder.path)
        with open(statement, encoding="utf-8") as f:
            text = f.read()
        self.assertIn("serial: %s\n" % serial["encrypt"], text)
        self.assertIn(order.form["organisation"], text)
        by = {s: self.approve(s, statement) for s in (a, b, c, self.reviewer)}
        self.recover(statement, holder.path, by[a], by[a], "same-person")
        self.recover(statement, holder.path, by[a], by[self.reviewer], "approval-refused")
        self.recover(statement, holder.path, by[a], statement, "approval-refused")
        self.recover(statement, a.path, by[a], by[b], "statement-changed")
        changed = self.path("changed")
        with open(changed, "w", encoding="utf-8") as f:
            f.write(text.replace(serial["encrypt"], serial["sign"]))
        self.recover(changed, holder.path, self.approve(a, changed), self.approve(b, changed), "statement-changed")
        with open(changed, "w", encoding="utf-8") as f:
            f.write(re.sub("nonce: .*", "nonce: " + "0" * 64, text))
        self.recover(changed, holder.path, self.approve(a, changed), self.approve(b, changed), "statement-unknown")
        self.recover(holder.path, holder.path, by[a], by[b], "statement-malformed")
        world.run("revoke", "--dir", world.ca_dir, "--serial", c.serial)
        self.recover(statement, holder.path, by[a], by[c], "approval-refused")
        try:
            world.clock(86401)
            self.recover(statement, holder.path, by[a], by[b], "statement-expired")
        finally:
            world.clock(0)
        said = self.recover(statement, holder.path, by[a], by[b])
        self.assertIn(serial["encrypt"], said)
        with open(self.path("recovered"), "rb") as f:
            opened = holder.key.open_envelope(f.read(), self.path("recovered.key"))
        self.assertTrue(self.opens(encrypt, opened))
        self.recover(statement, holder.path, by[a], by[b], "statement-used", out="twice")
        history = self.auditor.browser.get("/api/staff/certificates/" + serial["encrypt"]).json["history"]
        self.assertEqual([e["event"] for e in history], ["key-recovered"])
        self.assertEqual(len(history[0]["by"].split(",")), 2)
        again = self.ask(serial["encrypt"], holder.path, "again")
        self.recover(again, holder.path, self.approve(b, again), self.approve(a, again), out="blob", form="skf")
        self.assertEqual(os.path.getsize(self.path("blob")), 388)
        self.assertEqual(os.stat(self.path("blob")).st_mode & 0o777, 0o600)

    def test_not_in_the_database(self):
        """neither the database nor the master key gives an encryption key"""
        self.assertEqual(os.stat(os.path.join(self.world.ca_dir, "km.key")).st_mode & 0o777, 0o600)
        key = os.path.join(self.world.ca_dir, "km.key")
        os.rename(key, key + ".away")
        try:
            config = os.path.join(self.world.ca_dir, "config.json")
            done = self.world.run("check-config", "--config", config, check=False)
            self.assertIn("km-key-missing", done.stderr)
            self.assertEqual(self.world.run("km", "init", "--dir", self.world.ca_dir).returncode, 0)
            self.assertEqual(self.world.run("km", "init", "--dir", self.world.ca_dir, check=False).returncode, 1)
        finally:
            os.rename(key + ".away", key)


class Program(Case):
    def test_help_and_usage(self):
        self.assertIn("staff add", self.world.run("--help").stdout)
        for args in ((), ("nothing",), ("init",), ("staff", "add"), ("serve",), ("revoke", "--bad")):
            self.assertEqual(self.world.run(*args, check=False).returncode, 2, args)

    def test_check_config(self):
        config = os.path.join(self.world.ca_dir, "config.json")
        shown = self.world.run("check-config", "--config", config).stdout
        self.assertIn('origin = "%s"' % self.world.origin, shown)
        self.assertIn("sms-secret = (set)", shown)
        with open(config, encoding="utf-8") as f:
            text = f.read()
        for secret in re.findall(r'"(?:sms-secret|identity-secret|bank-key|alipay-private-key)": "([^"]+)"', text):
            self.assertNotIn(secret, shown)
        bad = os.path.join(self.world.ca_dir, "bad.json")
        for change in (('"origin"', '"orgin"'), ("http://localhost", "ftp://localhost")):
            with open(bad, "w", encoding="utf-8") as f:
                f.write(text.replace(*change))
            os.chmod(bad, 0o600)
            self.assertEqual(self.world.run("check-config", "--config", bad, check=False).returncode, 1)

    def test_wrong_config_is_named(self):
        """each mistake by its key or its file, in check-config as in serve"""
        path = os.path.join(self.world.ca_dir, "bad.json")
        with open(os.path.join(self.world.ca_dir, "config.json"), encoding="utf-8") as f:
            good = json.load(f)
        real = {"origin": "https://ukey.example.cn", "development": False, "clock-file": ""}
        for change, said in (
                ({"orgin": "x"}, "orgin"),
                ({"workers": 1000}, "workers"),
                ({"log-level": "loud"}, "log-level"),
                ({"database": "/nonexistent/x.db"}, "setting database"),
                ({"portal": "/nonexistent"}, "setting portal"),
                ({"photo-program": "/nonexistent/ukey-photo"}, "setting photo-program"),
                ({"bank-key": "zz"}, "bank-key"),
                ({"alipay-app-id": ""}, "alipay-app-id"),
                ({"sms-secret": ""}, "sms-secret"),
                ({"sms-templates": "code"}, "sms-templates"),
                ({"sms-templates": "nothing=SMS_1"}, "sms-templates"),
                ({"km-key": "/nonexistent/km.key"}, "setting km-key"),
                ({"identity-access-key": ""}, "identity-access-key"),
                (dict(real, **{"bank-url": "", "identity-url": "", "alipay-gateway": ""}), "sms-url"),
                (dict(real, **{"bank-url": "", "identity-url": "", "sms-url": ""}), "alipay-gateway"),
                (dict(real, **{"bank-url": "", "alipay-gateway": "", "sms-url": ""}), "identity-url"),
                (dict(real, **{"identity-url": "", "alipay-gateway": "", "sms-url": ""}), "bank-url")):
            with open(path, "w", encoding="utf-8") as f:
                json.dump(dict(good, **change), f)
            os.chmod(path, 0o600)
            for command in ("check-config", "serve"):
                result = self.world.run(command, "--config", path, check=False)
                self.assertEqual(result.returncode, 1, (command, change))
                self.assertIn(said, result.stderr, (command, change))
                for name in ("sms-secret", "bank-key", "alipay-private-key"):
                    self.assertNotIn(good[name], result.stderr)
        os.chmod(path, 0o644)
        self.assertIn("chmod", self.world.run("check-config", "--config", path, check=False).stderr)
        taken = self.world.run("serve", "--config", os.path.join(self.world.ca_dir, "config.json"), check=False)
        self.assertEqual(taken.returncode, 1)
        self.assertIn("setting listen", taken.stderr)

    def test_private_files(self):
        """keys that others can read are refused"""
        config = os.path.join(self.world.ca_dir, "config.json")
        for name in ("master.key", "ticket.jwk", "config.json"):
            path = os.path.join(self.world.ca_dir, name)
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
            os.chmod(path, 0o604)
            try:
                result = self.world.run("check-config", "--config", config, check=False)
                self.assertEqual(result.returncode, 1, name)
                self.assertIn(name, result.stderr)
            finally:
                os.chmod(path, 0o600)
        self.assertEqual(os.stat(os.path.join(self.world.ca_dir, "ukey-ca.db")).st_mode & 0o777, 0o600)

    def test_newer_database(self):
        path = os.path.join(self.world.ca_dir, "ukey-ca.db")
        with sqlite3.connect(path) as db:
            db.execute("INSERT INTO schema_steps (version, name) VALUES (9999, 'x')")
        try:
            result = self.world.run("check-config", "--config", os.path.join(self.world.ca_dir, "config.json"), check=False)
            self.assertEqual(result.returncode, 1)
            self.assertIn("newer", result.stderr)
        finally:
            with sqlite3.connect(path) as db:
                db.execute("DELETE FROM schema_steps WHERE version = 9999")

    def test_no_core_dump(self):
        """no process that has the keys leaves them in a file or to a debugger of the same user"""
        status = "/proc/%d" % self.world.ca.pid
        with open(status + "/limits", encoding="ascii") as f:
            self.assertRegex(f.read(), r"Max core file size +0 +0 ")
        if os.getuid() != 0:
            self.assertRaises(PermissionError, os.listdir, status + "/fd")

    def test_init_twice(self):
        again = self.world.run("init", "--dir", self.world.ca_dir, "--origin", self.world.origin,
                               "--name", "x", check=False)
        self.assertEqual(again.returncode, 1)

    def test_order_dot(self):
        self.assertTrue(self.world.run("order", "dot").stdout.startswith("digraph"))

    def test_openapi_has_every_route(self):
        """server/openapi.yaml and the route table say the same"""
        server = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "server")
        with open(os.path.join(server, "api", "routes.c"), encoding="utf-8") as f:
            table = set(re.findall(r'HTTP_(GET|POST|PUT),\s*"([^"]+)"', f.read().replace("*}", "}")))
        written, path = set(), None
        with open(os.path.join(server, "openapi.yaml"), encoding="utf-8") as f:
            for line in f:
                if line.startswith("components:"):
                    break
                if found := re.match("  (/[^:]+):", line):
                    path = found.group(1)
                elif found := re.match("    (get|post|put):", line):
                    written.add((found.group(1).upper(), path))
        self.assertEqual(written, table)

    def test_openapi_has_every_reason(self):
        """the reasons that the API's own files give are written down, and no others"""
        root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
        with open(os.path.join(root, "server", "openapi.yaml"), encoding="utf-8") as f:
            text = f.read()
        written = set(re.findall("^                - ([a-z-]+)$", text, re.M))
        sources = {}
        for folder in ("server/api", "server/workflow", "server/http", "server/documents", "server/pay",
                       "server/ca", "server/jobs", "include/src"):
            for name in os.listdir(os.path.join(root, folder)):
                if name.endswith(".c"):
                    with open(os.path.join(root, folder, name), encoding="utf-8") as f:
                        sources[folder + "/" + name] = f.read()
        given = set()
        for path, source in sources.items():
            if path.startswith("server/api/") or path == "server/workflow/guards.c":
                given |= set(re.findall(r'uk_fail(?:_field)?\(\s*\w+,[^,;]+,\s*"([a-z-]+)"', source))
                given |= set(re.findall(r'UK_E_[A-Z]+, "([a-z-]+)"', source))
                given |= set(re.findall(r'"(too-many-[a-z-]+|[a-z-]+-invalid)"', source))
        given -= {"certificate-wrong-usage", "nonce-unknown", "not-staff"}  # for the log: login-refused
        self.assertEqual(given - written, set())
        everything = "".join(sources.values())
        self.assertEqual({r for r in written if '"%s"' % r not in everything}, set())
        named = set(re.findall(r"4[0-9][0-9] `([a-z-]+)`", text))
        self.assertEqual(named - written, set())

    def test_certificates(self):
        """[C14] the chain at its public addresses"""
        browser = Browser(self.world.ca_port)
        pem = []
        for name in ("root", "issuer"):
            answer = browser.get("/ca/%s.cer" % name)
            self.assertEqual(answer.headers["Content-Type"], "application/pkix-cert")
            path = os.path.join(self.world.dir, name + ".pem")
            with open(path, "wb") as f:
                f.write(openssl("x509", "-inform", "DER", data=answer.body))
            pem.append(path)
        openssl("verify", "-CAfile", pem[0], pem[1])
        crl = wait_until(lambda: browser.get("/ca/crl.crl").status == 200)
        self.assertTrue(crl)

    def test_ocsp_responder_is_replaced(self):
        """[C14] its certificate lives a week, and half of it is used"""
        def asked():
            answer = Browser(self.world.ca_port).get("/ca/ocsp/" + urllib.parse.quote(b64(request), safe=""))
            self.assertEqual(answer.body[4:7], b"\x0a\x01\x00", answer.body)  # successful
            with self.world.database() as db:
                return db.execute("SELECT COUNT(*) FROM certificates WHERE profile = 'responder'").fetchone()[0]
        issuer = os.path.join(self.world.dir, "responder-issuer.pem")
        with open(issuer, "wb") as f:
            f.write(openssl("x509", "-inform", "DER", data=Browser(self.world.ca_port).get("/ca/issuer.cer").body))
        openssl("ocsp", "-issuer", issuer, "-serial", "0x1234", "-reqout", issuer + ".req")
        with open(issuer + ".req", "rb") as f:
            request = f.read()
        self.assertEqual([asked(), asked()], [1, 1])
        try:
            self.world.clock(3 * 86400)
            self.assertEqual(asked(), 1)
            self.world.clock(4 * 86400)
            self.assertEqual([asked(), asked()], [2, 2])
        finally:
            self.world.clock(0)
        self.assertEqual(asked(), 3)

    def test_stops_gracefully(self):
        self.assertEqual(self.world.stop_ca(), 0)
        self.world.start_ca()
        self.assertEqual(Browser(self.world.ca_port).get("/api/site").status, 200)


if __name__ == "__main__":
    BIN = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
