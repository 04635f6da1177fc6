"""Every program has a manual page, and it names every verb and option that --help names."""
import pathlib
import re
import subprocess
import sys
import unittest

BIN, MAN = (pathlib.Path(p) for p in sys.argv[1:3])
UNIVERSAL = {"help", "version", "json", "socket"}


def help_text(program, *verb):
    r = subprocess.run([BIN / program, *verb, "--help"], capture_output=True, text=True, check=True)
    return r.stdout


def options(text):
    return set(re.findall(r"^  --([a-z-]+)", text, re.M)) - UNIVERSAL


def verbs(text):
    return re.findall(r"^  ([a-z]+(?:[ -][a-z]+)*)  +\S", text, re.M)


class Manual(unittest.TestCase):
    def page(self, program):
        pages = list(MAN.glob(f"{program}.[18]"))
        self.assertEqual(len(pages), 1, f"manual pages of {program}")
        return pages[0].read_text()

    def check(self, program, *verb):
        page, text = self.page(program), help_text(program, *verb)
        self.assertNotIn(" \n", text)
        for o in options(text):
            self.assertIn(f"Fl -{o}", page, f"{program} {' '.join(verb)}")

    def test_daemons(self):
        for program in ("ukeyd", "ukey-token", "ukey-native", "ukey-sandbox"):
            self.check(program)

    def test_verbs(self):
        for program in ("ukey", "ukey-ca"):
            found = verbs(help_text(program))
            self.assertGreater(len(found), 5)
            for verb in found:
                self.assertIn(verb.split()[0], self.page(program))
                if verb != "version":
                    self.check(program, *verb.split())

    def test_groups(self):
        """`ukey soft --help` lists the verbs that begin so."""
        found = verbs(help_text("ukey"))
        for group in {v.split()[0] for v in found if " " in v} - set(found):
            self.assertEqual(verbs(help_text("ukey", group)),
                             [v for v in found if v.startswith(group + " ")])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
