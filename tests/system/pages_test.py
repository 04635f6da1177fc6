#!/usr/bin/env python3
"""What the pages weigh: the first load of the portal and of the console over the wire, as ukey-ca
sends it to a browser that takes gzip, and what each flow adds to it.
pages_test.py BIN_DIR DIST [--table COMMAND... | unittest arguments]; DIST is server/portal/dist; COMMAND
runs while ukey-ca is up, with the portal's address."""

import gzip
import http.client
import os
import re
import subprocess
import sys
import unittest

import server_test

FIRST_LOAD_MAX = 260_000
FLOWS = {  # the pages' own names of what comes later, and what people call it
    "/": {"NewOrder": "new certificate", "KeyFlow": "renewal, change", "UnlockStart": "unlock",
          "ReplacementForm": "replacement", "Query": "order query", "Download": "download into the key"},
    "/staff/": {"Queue": "queue", "OrderDetail": "order, review", "Production": "production",
                "Remittances": "remittances"},
}
LANDING = {"/": None, "/staff/": "Login"}  # what the first page fetches by itself
IMPORT = r'(?:from|import)\s*["`]\./([^"`]+\.js)["`]'


class Load:
    """A browser's visit: each address is fetched once."""

    def __init__(self, port):
        self.port, self.bytes, self.entries = port, {}, []

    @property
    def total(self):
        return sum(self.bytes.values())

    def fetch(self, path):
        """The content; None when it is there already."""
        if path in self.bytes:
            return None
        conn = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        conn.request("GET", path, headers={"Accept-Encoding": "gzip, br"})
        reply = conn.getresponse()
        body = reply.read()
        conn.close()
        assert reply.status == 200, (path, reply.status)
        head = sum(len(k) + len(v) + 4 for k, v in reply.getheaders()) + len("HTTP/1.1 200 OK\r\n\r\n")
        self.bytes[path] = head + len(body)
        packed = reply.headers["Content-Encoding"] == "gzip"
        assert packed or not re.search(r"\.(js|css)$|/$", path), path + " is not compressed"
        if path.startswith("/assets/"):
            assert "immutable" in reply.headers["Cache-Control"], path
        return (gzip.decompress(body) if packed else body).decode()

    def script(self, path):
        text = self.fetch(path)
        if text is not None:
            if "__vite__mapDeps=" in text:
                self.entries.append(text)
            for name in re.findall(IMPORT, text):
                self.script("/assets/" + name)
        return self

    def page(self, path):
        for found in re.findall(r'(?:src|href)="(/[^"]+)"', self.fetch(path)):
            if found.endswith(".js"):
                self.script(found)
            else:
                self.fetch(found)
        return self

    def later(self, name):
        """What import() of this page fetches, with the files that the build lists beside it."""
        for text in self.entries:
            call = re.search(r'import\(["`]\./(%s-[^"`]+\.js)["`]\)\s*,\s*__vite__mapDeps\(\[([\d,]*)\]\)' % name, text)
            if call is None:
                continue
            files = re.findall(r'"([^"]+)"', re.search(r"m\.f=\[([^\]]*)\]", text).group(1))
            for n in filter(None, call.group(2).split(",")):
                self.script("/" + files[int(n)]) if files[int(n)].endswith(".js") else self.fetch("/" + files[int(n)])
            return self.script("/assets/" + call.group(1))
        raise AssertionError("%s is not split off" % name)


class FirstLoad(server_test.Case):
    DIST = None

    @classmethod
    def prepare(cls):
        cls.world.stop_ca()
        cls.world.change_config({"portal": cls.DIST})
        cls.world.start_ca()

    def first(self, page):
        load = Load(self.world.ca_port).page(page)
        if LANDING[page] is not None:
            load.later(LANDING[page])
        return load

    def test_weight(self):
        """no first page over the limit, nor any flow that it leads to"""
        for page, flows in FLOWS.items():
            self.assertLess(self.first(page).total, FIRST_LOAD_MAX, page)
            for name in flows:
                with self.subTest(page=page, flow=name):
                    before = self.first(page)
                    files = set(before.bytes)
                    self.assertLess(before.later(name).total, FIRST_LOAD_MAX)
                    self.assertTrue(any("/%s-" % name in f for f in set(before.bytes) - files))

    def table(self):
        print("| page | files | kB over the wire |\n| --- | --- | --- |")
        for page, flows in FLOWS.items():
            load = self.first(page)
            print("| %s | %d | %.1f |" % (page, len(load.bytes), load.total / 1000))
            for name, what in flows.items():
                more = self.first(page)
                files, weight = len(more.bytes), more.total
                more.later(name)
                print("| … and %s | + %d | + %.1f |" % (what, len(more.bytes) - files, (more.total - weight) / 1000))


def main():
    server_test.BIN, FirstLoad.DIST = os.path.abspath(sys.argv.pop(1)), os.path.abspath(sys.argv.pop(1))
    if not os.path.exists(os.path.join(FirstLoad.DIST, "index.html")):
        sys.exit("%s: the pages are not built (tests/run builds them)" % FirstLoad.DIST)
    if sys.argv[1:2] != ["--table"]:
        unittest.main(verbosity=2)
    FirstLoad.setUpClass()
    try:
        FirstLoad("table").table()
        if sys.argv[2:]:
            sys.stdout.flush()
            subprocess.run([*sys.argv[2:], FirstLoad.world.origin], check=True)
    finally:
        FirstLoad.tearDownClass()


if __name__ == "__main__":
    main()
