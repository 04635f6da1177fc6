#!/usr/bin/env python3
"""What the server does unasked, as days go by: reminders_test.py BIN_DIR [unittest arguments]"""

import json
import os
import re
import sys
import time
import unittest

import server_test as base
from server_world import wait_until

DAY = 86400


class Reminders(base.Case):
    """The time only goes on, from one test to the next: what is due is done once."""

    prepare = classmethod(base.Desk.prepare.__func__)
    detail, do, approved = base.Desk.detail, base.Desk.do, base.Desk.approved
    ask_ticket, make, prove = base.Desk.ask_ticket, base.Desk.make, base.Desk.prove

    def setUp(self):
        self.world.clock(0)
        for staff in (self.reviewer, self.producer):
            self.assertEqual(staff.login().status, 200)

    def ending(self, order):
        """Newest first."""
        return [m for m in self.world.messages(order.form["agentPhone"]) if "到期" in m]

    def mails(self, order):
        return re.findall(r'data-testid="subject">([^<]*)<', self.world.page("/mail?to=" + order.form["agentEmail"]))

    def days_before(self, order, days):
        self.world.clock(order.now["certificate"]["notAfter"] - days * DAY - int(time.time()))

    def test_year_ends(self):
        """90, 30 and 7 days before the end, once each, by message and by mail"""
        order = self.approved()
        self.make(order)
        order.refresh()
        self.days_before(order, 91)
        time.sleep(2)
        self.assertEqual(self.ending(order), [])
        for days, count in ((90, 1), (60, 1), (30, 2), (7, 3), (3, 3)):
            self.days_before(order, days - 0.1)
            if count > len(self.ending(order)):
                wait_until(lambda: len(self.ending(order)) == count and len(self.mails(order)) == count)
                self.assertIn("不足%d天" % days, self.ending(order)[0])
                self.assertIn("%d天内到期" % days, self.mails(order)[0])
            time.sleep(2)
            self.assertEqual((len(self.ending(order)), len(self.mails(order))), (count, count))
        page = self.world.page("/mail?to=" + order.form["agentEmail"])
        self.assertIn(order.form["organisation"], page)
        self.assertIn(self.world.origin + "/renewal", page)

    def tasks(self, staff, kind):
        answer = staff.browser.get("/api/staff/tasks")
        self.assertEqual(answer.status, 200, answer.body)
        return [t for t in answer.json["tasks"] if t["kind"] == kind]

    def test_review_is_due(self):
        """[C9] the reviewers hear of it before it is overdue, and only they; it is off the list once decided"""
        order = base.Order(self).to_review()
        mine = lambda: [t for t in self.tasks(self.reviewer, "review-due") if t["order"] == order.now["id"]]
        self.assertEqual(mine(), [])
        due = order.now["review"]["dueAt"]
        self.world.clock(due - DAY // 2 - int(time.time()))
        self.reviewer.login()
        self.producer.login()
        task = wait_until(mine)[0]
        self.assertEqual(self.tasks(self.producer, "review-due"), [])
        self.refused(self.producer.browser.post("/api/staff/tasks/done", {"id": task["id"]}), 404, "not-found")
        self.do(self.reviewer, order, "approve", {"version": None})
        self.assertEqual(mine(), [])

    def test_calendar_ends(self):
        """an administrator hears of a year without its list of days off, and takes it off the desk"""
        admin = self.world.staff("管理员", "administrator")
        path = os.path.join(self.world.dir, "calendar.json")
        with open(path, "w", encoding="ascii") as f:
            json.dump({"years": []}, f)
        self.assertEqual(self.world.stop_ca(), 0)
        self.world.change_config({"calendar": path})
        self.world.start_ca()
        self.world.clock(7 * 3600)
        self.assertEqual(admin.login().status, 200)
        task = wait_until(lambda: self.tasks(admin, "calendar"))[0]
        self.assertEqual(task["detail"], time.strftime("%Y", time.gmtime(time.time() + 15 * 3600)))
        for task in self.tasks(admin, "calendar"):
            answer = admin.browser.post("/api/staff/tasks/done", {"id": task["id"]})
        self.assertEqual(answer.json, {"tasks": []})


if __name__ == "__main__":
    base.BIN = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
